import type OpenAI from "openai";
import type { ChatCompletion, ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { ModelClient, Patience } from "./model-client.ts";
import { type Asked, halfAnswer, modelError } from "./model-error.ts";
import { ChunkJoiner } from "./openai-chunks.ts";
import { openaiReply } from "./openai-reply.ts";
import { type JsonPromise, openaiParams, promiseFor, weaker } from "./openai-request.ts";

/** A model behind OpenAI's chat API, at OpenAI or at any server that speaks it. */
export interface OpenaiModelOptions extends Patience {
  model: string;
  /** `OPENAI_BASE_URL`, else OpenAI's own, unless told. */
  baseUrl?: string | undefined;
  /** Name of the environment variable with the key; `OPENAI_API_KEY` unless told. */
  apiKeyEnv?: string | undefined;
  /** How events name the provider; "openai" unless told. */
  provider?: string | undefined;
}

const OPENAI_URL = "https://api.openai.com/v1";
/** Servers of one's own often take any key, but the SDK insists on one. */
const NO_KEY = "none";

/**
 * A client for a model behind OpenAI's chat API: OpenAI, vLLM, Ollama, LM Studio, TGI and many more.
 *
 * @example
 * const model = openaiModel({ model: "llama3.2", baseUrl: "http://127.0.0.1:11434/v1" });
 */
export function openaiModel(options: OpenaiModelOptions): ModelClient {
  const { model, provider = "openai", apiKeyEnv = "OPENAI_API_KEY" } = options;
  const baseUrl = options.baseUrl ?? (process.env["OPENAI_BASE_URL"] || OPENAI_URL);
  const isOpenai = baseUrl.startsWith(OPENAI_URL);
  const asked: Asked = { provider, model, baseUrl };
  let client: OpenAI | undefined;
  /** What the server is known to keep of a promise about JSON; less once it has refused more. */
  let keeps: JsonPromise = "schema";

  async function open(): Promise<OpenAI> {
    const apiKey = process.env[apiKeyEnv] || undefined;
    if (apiKey === undefined && (isOpenai || options.apiKeyEnv !== undefined)) {
      throw new AtlasError("ATLAS_MODEL_FAILED", `${provider} ${model} needs a key`, {
        hint: `Set ${apiKeyEnv} in the environment.`,
      });
    }
    asked.apiKey = apiKey;
    const { default: Client } = await import("openai");
    return new Client({
      apiKey: apiKey ?? NO_KEY,
      baseURL: baseUrl,
      timeout: options.timeoutMs ?? 60_000,
      maxRetries: options.maxRetries ?? 2,
      logLevel: "off",
      // Another server has no business with OpenAI's account settings.
      ...(isOpenai ? {} : { organization: null, project: null, adminAPIKey: null }),
    });
  }

  async function streamed(
    from: OpenAI,
    params: ChatCompletionCreateParamsStreaming,
    rest: { signal?: AbortSignal },
  ): Promise<ChatCompletion> {
    const joiner = new ChunkJoiner();
    for await (const chunk of await from.chat.completions.create(params, rest)) joiner.add(chunk);
    if (!joiner.complete) throw halfAnswer(asked);
    return joiner.completion();
  }

  const complete: ModelClient["complete"] = async (request, { signal } = {}) => {
    client ??= await open();
    const { APIConnectionError } = await import("openai");
    const promise = promiseFor(request, keeps);
    const params = openaiParams(request, model, isOpenai, promise);
    const rest = signal ? { signal } : {};
    try {
      const completion = options.stream
        ? await streamed(client, { ...params, stream: true, stream_options: { include_usage: true } }, rest)
        : await client.chat.completions.create(params, rest);
      return openaiReply(completion, asked);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof AtlasError) throw error;
      const refused = (error as { status?: number }).status === 400 && /response_format/.test(String(error));
      if (promise !== "none" && refused) {
        keeps = weaker(promise);
        return complete(request, { signal });
      }
      throw modelError(error, asked, error instanceof APIConnectionError);
    }
  };

  return { provider, model, simulated: false, complete };
}
