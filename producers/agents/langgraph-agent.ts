import { AtlasError } from "../../errors/atlas-error.ts";
import type { ChatMessage } from "../../models/model-client.ts";
import { sendable } from "../../models/sendable.ts";
import { newId } from "../../schemas/identity.ts";
import { jsonText } from "../../schemas/json-text.ts";
import type { Agent, AgentInput } from "./agent.ts";
import { answerText } from "./answer-text.ts";
import { type LangchainHandler, langchainHandler } from "./langchain-handler.ts";
import { langchainMessage } from "./langchain-messages.ts";
import { promptText } from "./prompt-text.ts";

interface GraphInput {
  messages: { role: string; content: string }[];
}

interface GraphOptions {
  signal: AbortSignal;
  callbacks: LangchainHandler[];
  configurable: Record<string, unknown>;
}

/** What is needed of a compiled LangGraph.js graph whose state has `messages`. */
export interface LanggraphGraph {
  invoke?(input: GraphInput, options: GraphOptions): Promise<unknown>;
  /** Used where there is no `invoke`; asked for whole states. */
  stream?(
    input: GraphInput,
    options: GraphOptions & { streamMode: "values" },
  ): Promise<AsyncIterable<unknown>>;
}

/** How a graph becomes an agent. */
export interface LanggraphAgentOptions {
  /** The graph's own name unless told. */
  name?: string | undefined;
  systemPrompt?: string | undefined;
  /**
   * Passed on with each run, such as `{ recursionLimit: 50 }`. Every attempt has a thread of its own unless
   * `configurable.thread_id` names one.
   */
  options?: Readonly<Record<string, unknown>> | undefined;
}

async function lastState(graph: LanggraphGraph, input: GraphInput, options: GraphOptions): Promise<unknown> {
  if (graph.invoke !== undefined) return graph.invoke(input, options);
  let state: unknown;
  const states = (await graph.stream?.(input, { ...options, streamMode: "values" })) ?? [];
  for await (state of states);
  return state;
}

/** What nodes asked a person for, and nobody will answer. */
function refuseInterrupts(state: unknown): void {
  const asked = (state as { __interrupt__?: unknown } | null | undefined)?.__interrupt__;
  if (!Array.isArray(asked) || asked.length === 0) return;
  const values = asked.map((interrupt: { value?: unknown } | null) => jsonText(interrupt?.value ?? null));
  throw new AtlasError("ATLAS_AGENT_INTERRUPTED", `the graph stopped to ask a person: ${values.join(", ")}`, {
    hint: "Resume the graph in a function that you wrap with functionAgent.",
  });
}

/** The messages of a graph's last state, the answer at their end. */
function messagesOf(state: unknown, input: GraphInput): ChatMessage[] {
  refuseInterrupts(state);
  const messages = (state as { messages?: unknown } | null | undefined)?.messages;
  if (!Array.isArray(messages) || messages.length === 0)
    throw new AtlasError("ATLAS_AGENT_FAILED", "the graph ended in a state without messages", {
      hint: "Build it on MessagesAnnotation, or wrap it with functionAgent.",
    });
  const said = messages.map(langchainMessage);
  const [last, asked] = [said.at(-1)!, input.messages.at(-1)!];
  if (last.role !== "user" || last.content !== asked.content) return said;
  throw new AtlasError("ATLAS_AGENT_FAILED", "the graph ended without an answer", {
    hint: "Let its last node add the answer to `messages`.",
  });
}

/** The options of one run: the caller's, with what makes the run an attempt of its own. */
function optionsOf(
  { callbacks, configurable, ...rest }: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  handler: LangchainHandler,
): GraphOptions {
  const theirs = Array.isArray(callbacks) ? (callbacks as LangchainHandler[]) : [];
  return {
    ...rest,
    signal,
    callbacks: [...theirs, handler],
    configurable: { thread_id: newId(), ...(configurable as Record<string, unknown> | undefined) },
  };
}

function opening(input: AgentInput, systemPrompt: string | undefined): GraphInput["messages"] {
  const user = { role: "user", content: promptText(input) };
  return systemPrompt === undefined ? [user] : [{ role: "system", content: sendable(systemPrompt) }, user];
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
      const opened = { messages: opening(input, systemPrompt) };
      const state = await lastState(graph, opened, optionsOf(options, input.signal, langchainHandler(ctx)));
      const said = messagesOf(state, opened);
      for (const message of said) ctx.message(message);
      const last = said.at(-1);
      return answerText(last?.content || last?.["refusal"] || "", input.signal);
    },
  };
}
