import type OpenAI from "openai";
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming as Params,
} from "openai/resources/chat/completions";
import { addressFor } from "../configs/project-environment.ts";
import { addedFields, type Refused } from "./added-fields.ts";
import { withCallIds } from "./call-ids.ts";
import { jsonPromises } from "./json-promise.ts";
import type { ModelClient, Patience } from "./model-client.ts";
import { type Asked, halfAnswer, keyMissing } from "./model-error.ts";
import { ChunkJoiner } from "./openai-chunks.ts";
import { openaiReply } from "./openai-reply.ts";
import { ADDED_FIELDS, type AddedField, openaiParams } from "./openai-request.ts";
import { sdkOptions } from "./sdk-options.ts";
import { type Try, withTries } from "./tries.ts";

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

/** Where it is asked unless told. */
export const OPENAI_URL = "https://api.openai.com/v1";
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
  const baseUrl = options.baseUrl ?? addressFor("OPENAI_BASE_URL", apiKeyEnv) ?? OPENAI_URL;
  const isOpenai = baseUrl.startsWith(OPENAI_URL);
  const asked: Asked = { provider, model, baseUrl };
  let client: OpenAI | undefined;
  const promised = jsonPromises(["schema", "object", "none"]);
  const added = addedFields(ADDED_FIELDS);

  async function open(): Promise<OpenAI> {
    const apiKey = process.env[apiKeyEnv] || undefined;
    if (apiKey === undefined && (isOpenai || options.apiKeyEnv !== undefined)) {
      throw keyMissing(asked, apiKeyEnv);
    }
    asked.apiKey = apiKey;
    const { default: Client } = await import("openai");
    return new Client({
      apiKey: apiKey ?? NO_KEY,
      baseURL: baseUrl,
      ...sdkOptions(),
      // Another server has no business with OpenAI's account settings.
      ...(isOpenai ? {} : { organization: null, project: null, adminAPIKey: null }),
    });
  }

  async function answered(
    from: OpenAI,
    params: Params,
    { signal, alive }: Try,
    refused: Refused<AddedField>,
  ): Promise<ChatCompletion> {
    if (!options.stream) return from.chat.completions.create(params, { signal });
    const joiner = new ChunkJoiner();
    const counted = { stream_options: { include_usage: true, ...params.stream_options } };
    const streaming = { ...params, stream: true as const, ...(refused.has("stream_options") ? {} : counted) };
    for await (const chunk of await from.chat.completions.create(streaming, { signal })) {
      alive();
      joiner.add(chunk);
    }
    if (!joiner.complete) throw halfAnswer(asked);
    return joiner.completion();
  }

  const complete: ModelClient["complete"] = async (request, { signal, onTry, onFailedTry } = {}) => {
    client ??= await open();
    const from = client;
    const { APIConnectionError } = await import("openai");
    const isUnreachable = (error: unknown): boolean => error instanceof APIConnectionError;
    const trying = { asked, patience: options, signal, onTry, onFailedTry, isUnreachable };
    return promised(request, (promise) =>
      added((refused) => {
        const params = openaiParams(request, model, { isOpenai, promise, refused });
        return withTries(trying, async (one) =>
          withCallIds(openaiReply(await answered(from, params, one, refused), asked)),
        );
      }),
    );
  };

  return { provider, model, simulated: false, complete };
}
