import type { ChatMessage, ModelReply } from "../../models/model-client.ts";
import type { AgentContext } from "./agent.ts";
import { argumentsIn, type LlmResult, outputIn, replyOf, requestOf } from "./langchain-calls.ts";
import { isText, langchainMessage } from "./langchain-messages.ts";
import { type WatchedCall, watchModel, watchTool } from "./watched-call.ts";

interface Serialized {
  name?: string;
  id?: string[];
}

interface StartExtra {
  invocation_params?: Record<string, unknown>;
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
  ): Promise<void>;
  handleLLMStart(
    llm: unknown,
    prompts: string[],
    runId: string,
    parentRunId?: string,
    extra?: StartExtra,
    tags?: string[],
    metadata?: Record<string, unknown>,
  ): Promise<void>;
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
  ): Promise<void>;
  handleToolEnd(output: unknown, runId: string): Promise<void>;
  handleToolError(error: unknown, runId: string): Promise<void>;
}

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
  ): Promise<void> {
    const { name, id } = (llm ?? {}) as Serialized;
    const found = [params["model"], params["model_name"], metadata["ls_model_name"], name, id?.at(-1)];
    const model = found.find(isText) ?? "unknown";
    const provider = isText(metadata["ls_provider"]) ? metadata["ls_provider"] : "langchain";
    const call = enterOf(parent)(() => watchModel(ctx, { provider, model }, requestOf(messages, params)));
    models.set(runId, { call, model });
    return call.begun;
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
      return startModel(llm, asked, runId, parentRunId, extra?.invocation_params ?? {}, metadata ?? {});
    },
    handleLLMStart(llm, prompts, runId, parentRunId, extra, _tags, metadata) {
      const asked: ChatMessage[] = [{ role: "user", content: prompts.join("\n") }];
      return startModel(llm, asked, runId, parentRunId, extra?.invocation_params ?? {}, metadata ?? {});
    },
    handleLLMEnd: (output, runId) => endModel(runId, (call, model) => call.end(replyOf(output, model))),
    handleLLMError: (error, runId) => endModel(runId, (call) => call.fail(error)),
    handleToolStart(tool, input, runId, parentRunId, _tags, _metadata, runName) {
      const { name, id } = (tool ?? {}) as Serialized;
      const named = [runName, name, id?.at(-1)].find(isText) ?? "tool";
      const call = enterOf(parentRunId)(() => watchTool(ctx, named, argumentsIn(input)));
      tools.set(runId, call);
      within.set(runId, (work) => call.enter(work));
      return call.begun;
    },
    handleToolEnd: (output, runId) => endTool(runId, (call) => call.end(outputIn(output))),
    handleToolError: (error, runId) => endTool(runId, (call) => call.fail(error)),
  };
}
