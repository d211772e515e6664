import { AtlasError } from "../../errors/atlas-error.ts";
import type { Agent, AgentInput } from "./agent.ts";
import { answerText } from "./answer-text.ts";
import { langchainHandler } from "./langchain-handler.ts";
import { langchainMessage } from "./langchain-messages.ts";
import { promptText } from "./prompt-text.ts";

interface GraphInput {
  messages: { role: string; content: string }[];
}

interface GraphOptions {
  signal: AbortSignal;
  callbacks: unknown[];
  [option: string]: unknown;
}

/** What is needed of a compiled LangGraph.js graph whose state has `messages`. */
export interface LanggraphGraph {
  invoke?(input: GraphInput, options: GraphOptions): Promise<unknown>;
  /** Used where there is no `invoke`; asked for whole states. */
  stream?(input: GraphInput, options: GraphOptions): Promise<AsyncIterable<unknown>>;
}

/** How a graph becomes an agent. */
export interface LanggraphAgentOptions {
  /** The graph's own name unless told. */
  name?: string | undefined;
  systemPrompt?: string | undefined;
  /** Passed on with each run, such as `{ recursionLimit: 50 }`. */
  options?: Readonly<Record<string, unknown>> | undefined;
}

async function lastState(graph: LanggraphGraph, input: GraphInput, options: GraphOptions): Promise<unknown> {
  if (graph.invoke !== undefined) return graph.invoke(input, options);
  let state: unknown;
  const states = (await graph.stream?.(input, { ...options, streamMode: "values" })) ?? [];
  for await (state of states);
  return state;
}

function messagesOf(state: unknown): unknown[] {
  const messages = (state as { messages?: unknown } | null | undefined)?.messages;
  if (Array.isArray(messages) && messages.length > 0) return messages;
  throw new AtlasError("ATLAS_AGENT_FAILED", "the graph ended in a state without messages", {
    hint: "Build it on MessagesAnnotation, or wrap it with functionAgent.",
  });
}

function opening(input: AgentInput, systemPrompt: string | undefined): GraphInput["messages"] {
  const user = { role: "user", content: promptText(input) };
  return systemPrompt === undefined ? [user] : [{ role: "system", content: systemPrompt }, user];
}

/**
 * An agent that is a compiled LangGraph.js graph. Its model and tool calls are recorded through callbacks, and the
 * messages of its last state as the session's conversation.
 *
 * @example
 * const agent = langgraphAgent(createReactAgent({ llm, tools }), { name: "support" });
 */
export function langgraphAgent(graph: LanggraphGraph, settings: LanggraphAgentOptions = {}): Agent {
  const { systemPrompt, options = {} } = settings;
  const own = (graph as { name?: unknown }).name;
  return {
    name: settings.name ?? (typeof own === "string" && own !== "" ? own : "langgraph"),
    kind: "langgraph",
    systemPrompt,
    async invoke(input, ctx) {
      const messages = opening(input, systemPrompt);
      const callbacks = [langchainHandler(ctx)];
      const state = await lastState(graph, { messages }, { ...options, signal: input.signal, callbacks });
      const said = messagesOf(state);
      for (const message of said) ctx.message(langchainMessage(message));
      return answerText(langchainMessage(said.at(-1)).content, input.signal);
    },
  };
}
