import { jsonText } from "../json-text.ts";
import type { ChatMessage, ModelReply, ToolCall, Usage } from "../models/model-client.ts";
import type { AgentContext } from "./agent.ts";
import { langchainMessage } from "./langchain-messages.ts";
import { type WatchedCall, watchModel, watchTool } from "./watched-call.ts";

interface Serialized {
  name?: string;
  id?: string[];
}

interface StartExtra {
  invocation_params?: Record<string, unknown>;
}

interface Generation {
  text?: string;
  message?: {
    response_metadata?: Record<string, unknown>;
    usage_metadata?: {
      input_tokens?: number;
      output_tokens?: number;
      total_tokens?: number;
      input_token_details?: { cache_read?: number };
      output_token_details?: { reasoning?: number };
    };
  };
  generationInfo?: Record<string, unknown>;
}

interface LlmResult {
  generations?: Generation[][];
  llmOutput?: Record<string, unknown>;
}

/** The callbacks of LangChain.js and LangGraph.js that Atlas listens to; put it into `callbacks`. */
export interface LangchainHandler {
  readonly name: string;
  /** LangChain waits for each callback, so that the order of events is the order of what happened. */
  readonly awaitHandlers: boolean;
  handleChainStart(chain: unknown, inputs: unknown, runId: string, parentRunId?: string): void;
  handleChatModelStart(
    llm: unknown,
    messages: unknown[][],
    runId: string,
    parentRunId?: string,
    extra?: StartExtra,
    tags?: string[],
    metadata?: Record<string, unknown>,
  ): void;
  handleLLMStart(
    llm: unknown,
    prompts: string[],
    runId: string,
    parentRunId?: string,
    extra?: StartExtra,
    tags?: string[],
    metadata?: Record<string, unknown>,
  ): void;
  handleLLMEnd(output: LlmResult, runId: string): Promise<void>;
  handleLLMError(error: unknown, runId: string): Promise<void>;
  handleToolStart(
    tool: unknown,
    input: string,
    runId: string,
    parentRunId?: string,
    tags?: string[],
    metadata?: Record<string, unknown>,
    runName?: string,
  ): void;
  handleToolEnd(output: unknown, runId: string): Promise<void>;
  handleToolError(error: unknown, runId: string): Promise<void>;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function usageOf({ message }: Generation, output: LlmResult): Usage | undefined {
  const counted = message?.usage_metadata;
  const told = (output.llmOutput?.["tokenUsage"] ?? {}) as Record<string, number | undefined>;
  const promptTokens = counted?.input_tokens ?? told["promptTokens"];
  const completionTokens = counted?.output_tokens ?? told["completionTokens"];
  if (promptTokens === undefined && completionTokens === undefined) return undefined;
  const cachedTokens = counted?.input_token_details?.cache_read;
  const reasoningTokens = counted?.output_token_details?.reasoning;
  const sum = (promptTokens ?? 0) + (completionTokens ?? 0);
  return {
    promptTokens: promptTokens ?? 0,
    completionTokens: completionTokens ?? 0,
    totalTokens: counted?.total_tokens ?? told["totalTokens"] ?? sum,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}

function toolCallsOf({ tool_calls }: ChatMessage): ToolCall[] {
  const calls = (tool_calls ?? []) as { id: string; function: { name: string; arguments: string } }[];
  return calls.map(({ id, function: called }) => ({ id, ...called }));
}

function replyOf(output: LlmResult, asked: string): ModelReply {
  const generation = output.generations?.[0]?.[0] ?? {};
  const metadata = { ...generation.generationInfo, ...generation.message?.response_metadata };
  const message: ChatMessage =
    generation.message === undefined
      ? { role: "assistant", content: generation.text ?? "" }
      : langchainMessage(generation.message);
  const answered = metadata["model_name"] ?? metadata["model"];
  const finishReason = metadata["finish_reason"] ?? metadata["stop_reason"];
  const usage = usageOf(generation, output);
  return {
    content: generation.text ?? (isText(message.content) ? message.content : ""),
    toolCalls: toolCallsOf(message),
    message,
    model: isText(answered) ? answered : asked,
    ...(isText(finishReason) ? { finishReason } : {}),
    ...(usage === undefined ? {} : { usage }),
  };
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/**
 * A callback handler for LangChain.js and LangGraph.js that records their model and tool calls in the attempt.
 *
 * @example
 * const answer = await chain.invoke(input, { callbacks: [langchainHandler(ctx)] });
 */
export function langchainHandler(ctx: AgentContext): LangchainHandler {
  const models = new Map<string, { call: WatchedCall<ModelReply>; model: string }>();
  const tools = new Map<string, WatchedCall<unknown>>();
  /** How to run code within the recorded call that a run belongs to; runs of chains hand on their parent's. */
  const within = new Map<string, WatchedCall<unknown>["enter"]>();

  const enterOf = (parent: string | undefined) =>
    (parent === undefined ? undefined : within.get(parent)) ?? (<R>(work: () => R): R => work());

  function startModel(
    llm: unknown,
    messages: ChatMessage[],
    runId: string,
    parent: string | undefined,
    params: Record<string, unknown>,
    metadata: Record<string, unknown>,
  ): void {
    const { name, id } = (llm ?? {}) as Serialized;
    const found = [params["model"], params["model_name"], metadata["ls_model_name"], name, id?.at(-1)];
    const model = found.find(isText) ?? "unknown";
    const provider = isText(metadata["ls_provider"]) ? metadata["ls_provider"] : "langchain";
    const call = enterOf(parent)(() => watchModel(ctx, { provider, model }, { messages }));
    models.set(runId, { call, model });
  }

  async function endModel(
    runId: string,
    finish: (call: WatchedCall<ModelReply>, model: string) => Promise<void>,
  ) {
    const watched = models.get(runId);
    models.delete(runId);
    if (watched !== undefined) await finish(watched.call, watched.model);
  }

  async function endTool(
    runId: string,
    finish: (call: WatchedCall<unknown>) => Promise<void>,
  ): Promise<void> {
    const call = tools.get(runId);
    tools.delete(runId);
    within.delete(runId);
    if (call !== undefined) await finish(call);
  }

  return {
    name: "atlas",
    awaitHandlers: true,
    handleChainStart(_chain, _inputs, runId, parentRunId) {
      within.set(runId, enterOf(parentRunId));
    },
    handleChatModelStart(llm, messages, runId, parentRunId, extra, _tags, metadata) {
      const asked = (messages[0] ?? []).map(langchainMessage);
      startModel(llm, asked, runId, parentRunId, extra?.invocation_params ?? {}, metadata ?? {});
    },
    handleLLMStart(llm, prompts, runId, parentRunId, extra, _tags, metadata) {
      const asked: ChatMessage[] = [{ role: "user", content: prompts.join("\n") }];
      startModel(llm, asked, runId, parentRunId, extra?.invocation_params ?? {}, metadata ?? {});
    },
    handleLLMEnd: (output, runId) => endModel(runId, (call, model) => call.end(replyOf(output, model))),
    handleLLMError: (error, runId) => endModel(runId, (call) => call.fail(error)),
    handleToolStart(tool, input, runId, parentRunId, _tags, _metadata, runName) {
      const { name, id } = (tool ?? {}) as Serialized;
      const named = [runName, name, id?.at(-1)].find(isText) ?? "tool";
      const call = enterOf(parentRunId)(() => watchTool(ctx, named, parsed(input)));
      tools.set(runId, call);
      within.set(runId, (work) => call.enter(work));
    },
    handleToolEnd: (output, runId) =>
      endTool(runId, (call) => {
        const content = (output as { content?: unknown } | null)?.content;
        return call.end(isText(content) ? content : output === undefined ? null : parsed(jsonText(output)));
      }),
    handleToolError: (error, runId) => endTool(runId, (call) => call.fail(error)),
  };
}
