/**
 * The one seam between Atlas and language models. A *message* has the shape of OpenAI's chat API, which is also what
 * recorded runs and training sets hold; a *client* speaks to one model of one provider.
 */

import type { AtlasError } from "../errors/atlas-error.ts";

/** One message of a conversation; fields that a provider adds are kept as they are. */
export interface ChatMessage {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  content?: string | readonly Record<string, unknown>[] | null;
  tool_calls?: unknown;
  tool_call_id?: string;
  [field: string]: unknown;
}

/** A tool that a model may call. */
export interface ToolDefinition {
  name: string;
  description?: string;
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>;
}

/** A call of a tool that a model asked for. */
export interface ToolCall {
  id: string;
  name: string;
  /** JSON text, as the model wrote it; of a custom call, its text. */
  arguments: string;
  /** True for a call of OpenAI's custom tools, whose input is a text of any kind. */
  custom?: boolean;
  /** Why it must not be executed: its arguments were cut off, or cannot be read. */
  error?: string;
}

/** What a model is asked. What is left out is the provider's default. */
export interface ModelRequest {
  messages: readonly ChatMessage[];
  tools?: readonly ToolDefinition[];
  /** Ask for one JSON object; a provider that cannot promise it is still asked in the prompt. */
  json?: boolean;
  /** JSON Schema that the reply keeps, where the provider can promise it; JSON mode elsewhere. */
  jsonSchema?: Record<string, unknown>;
  /** 0 to 2. */
  temperature?: number;
  /** 0 to 1. */
  topP?: number;
  /** Most tokens of the reply. */
  maxTokens?: number;
  /** Further fields of the provider's request, sent as they are, such as `seed`, `stop` or `return_token_ids`. */
  extra?: Readonly<Record<string, unknown>>;
  /** Which prompt asks, such as "validation.v1". Recorded, and never sent. */
  promptVersion?: string | undefined;
}

/** Tokens of one call. */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  reasoningTokens?: number;
  cachedTokens?: number;
}

/** Token ids as the server's tokenizer made them; vLLM tells them when asked with `return_token_ids`. */
export interface TokenIds {
  prompt?: readonly number[];
  completion?: readonly number[];
}

/** What a model answered. */
export interface ModelReply {
  /** The text; empty where there was none. */
  content: string;
  toolCalls: readonly ToolCall[];
  /** The answer as the provider sent it, to go on with the conversation. */
  message: ChatMessage;
  /** What the model thought, where the provider tells, kept apart from the answer. */
  reasoning?: string;
  usage?: Usage;
  /** US dollars, where the server itself tells what the call cost. */
  cost?: number;
  /** The version that answered. */
  model: string;
  finishReason?: string;
  tokenIds?: TokenIds;
  /** Log probabilities as the provider sent them. */
  logprobs?: unknown;
}

/** How one call is made. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Called as each try begins, so that tries can be counted. */
  onTry?: (() => void) | undefined;
  /** Called with why a try failed after which another is made. */
  onFailedTry?: ((error: AtlasError) => void) | undefined;
}

/** A model of a provider. */
export interface ModelClient {
  readonly provider: string;
  readonly model: string;
  /** True where no model is behind it. */
  readonly simulated: boolean;
  /** What `complete` adds to every request that does not say otherwise; recorded with each call. */
  readonly defaults?: Partial<ModelRequest> | undefined;
  /** Most milliseconds that the runtime waits for one call with all its tries; the session's limit unless told. */
  readonly limitMs?: number | undefined;
  /**
   * Asks the model once; retries what is worth it.
   *
   * @throws AtlasError ATLAS_MODEL_UNAVAILABLE where nobody answered, ATLAS_MODEL_FAILED where the answer or the
   *   request is no good, or the signal's reason when it aborts
   */
  complete(request: ModelRequest, options?: CallOptions): Promise<ModelReply>;
}

/** How a client asks. */
export interface Patience {
  /** Milliseconds of one try, or between two pieces of a stream; 60,000 unless told. */
  timeoutMs?: number | undefined;
  /**
   * Further tries after 408, 409, 429, 5xx and network failures, after as long as `Retry-After` says (a minute at most),
   * else after jittered pauses; 2 unless told. After 429, 503 and 529 with `Retry-After`, all calls of the process to that
   * server wait.
   */
  maxRetries?: number | undefined;
  /** Lets the provider stream, so that a long answer cannot run into its idle timeouts; the reply is whole all the same. */
  stream?: boolean | undefined;
}
