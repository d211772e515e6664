import type OpenAI from "openai";
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
} from "openai/resources/chat/completions";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { ChatMessage, ModelClient, ModelReply, ModelRequest, Patience, Usage } from "./model-client.ts";
import { type Asked, modelError, unusableReply } from "./model-error.ts";

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

function paramsOf(request: ModelRequest, model: string, isOpenai: boolean, jsonMode: boolean) {
  const { temperature, topP, maxTokens, tools = [] } = request;
  const limit = maxTokens === undefined ? {} : { max_tokens: maxTokens };
  const params: ChatCompletionCreateParamsNonStreaming = {
    model,
    // The shapes agree; ours also lets through what a provider adds to a message.
    messages: request.messages as unknown as ChatCompletionCreateParamsNonStreaming["messages"],
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    // OpenAI renamed it and refuses the old name for its newer models; other servers know only the old one.
    ...(isOpenai && maxTokens !== undefined ? { max_completion_tokens: maxTokens } : limit),
    ...(jsonMode ? { response_format: { type: "json_object" } } : {}),
  };
  if (tools.length > 0) params.tools = tools.map((tool) => ({ type: "function", function: { ...tool } }));
  return params;
}

function usageOf(usage: ChatCompletion["usage"]): Usage | undefined {
  if (usage === undefined || usage === null) return undefined;
  const promptTokens = usage.prompt_tokens ?? 0;
  const completionTokens = usage.completion_tokens ?? 0;
  const reasoningTokens = usage.completion_tokens_details?.reasoning_tokens;
  const cachedTokens = usage.prompt_tokens_details?.cached_tokens;
  return {
    promptTokens,
    completionTokens,
    totalTokens: usage.total_tokens ?? promptTokens + completionTokens,
    ...(typeof reasoningTokens === "number" ? { reasoningTokens } : {}),
    ...(typeof cachedTokens === "number" ? { cachedTokens } : {}),
  };
}

/** Servers name it differently; OpenAI itself does not tell. */
function reasoningOf(message: ChatMessage): string | undefined {
  for (const field of ["reasoning_content", "reasoning", "thinking"]) {
    const text = message[field];
    if (typeof text === "string" && text !== "") return text;
  }
  return undefined;
}

function contentOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: { text?: unknown }) => (typeof part?.text === "string" ? part.text : ""))
    .join("");
}

function replyOf(completion: ChatCompletion, asked: Asked): ModelReply {
  const choice = completion?.choices?.[0];
  if (choice?.message === undefined || choice.message === null) {
    throw unusableReply(asked, "answered without a choice");
  }
  const message = choice.message as unknown as ChatMessage;
  const usage = usageOf(completion.usage);
  const reasoning = reasoningOf(message);
  return {
    content: contentOf(message.content),
    toolCalls: (choice.message.tool_calls ?? []).map((call) => ({
      id: call.id,
      name: call.type === "custom" ? call.custom.name : call.function.name,
      arguments: call.type === "custom" ? call.custom.input : call.function.arguments,
    })),
    message,
    model: completion.model ?? asked.model,
    ...(typeof choice.finish_reason === "string" ? { finishReason: choice.finish_reason } : {}),
    ...(usage === undefined ? {} : { usage }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

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
  let refusesJsonMode = false;

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

  const complete: ModelClient["complete"] = async (request, { signal } = {}) => {
    client ??= await open();
    const { APIConnectionError } = await import("openai");
    const jsonMode = request.json === true && !refusesJsonMode;
    try {
      const params = paramsOf(request, model, isOpenai, jsonMode);
      const completion = await client.chat.completions.create(params, signal ? { signal } : {});
      return replyOf(completion, asked);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof AtlasError) throw error;
      if (
        jsonMode &&
        (error as { status?: number }).status === 400 &&
        /response_format/.test(String(error))
      ) {
        refusesJsonMode = true;
        return complete(request, { signal });
      }
      throw modelError(error, asked, error instanceof APIConnectionError);
    }
  };

  return { provider, model, simulated: false, complete };
}
