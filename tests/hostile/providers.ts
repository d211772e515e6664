import type { ServerResponse } from "node:http";
import type { Agent } from "../../producers/agents/agent.ts";
import { anthropicAgent } from "../../producers/agents/anthropic-agent.ts";
import { geminiAgent } from "../../producers/agents/gemini-agent.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import type { Tool } from "../../producers/tools/tool.ts";
import { completion, json } from "../models/model-server.ts";

/** A call as a hostile provider writes it: id and arguments may be anything, or missing. */
export interface HostileCall {
  id?: unknown;
  name: unknown;
  args?: unknown;
}

interface AgentOptions {
  model: string;
  baseUrl: string;
  stream?: boolean;
  timeoutMs?: number;
  maxRetries?: number;
  maxTurns?: number;
  tools?: readonly Tool[];
}

/** One provider's API: how its agent is made, and what its answers look like. */
export interface Provider {
  name: "openai" | "anthropic" | "gemini";
  agent(options: AgentOptions): Agent;
  /** A whole answer. */
  answer(content: string): object;
  /** An answer that calls tools. */
  calls(calls: readonly HostileCall[]): object;
  /** An answer that holds no answer. */
  empty: object;
  /** The pieces of a streamed answer. */
  pieces(content: string): readonly { type?: string }[];
  /** What a server sends in the middle of a stream when it gives up. */
  midStreamError: { type?: string };
}

const claude = (content: unknown, stop_reason: string | null = "end_turn") => ({
  id: "msg",
  type: "message",
  role: "assistant",
  model: "claude-served",
  content,
  stop_reason,
  usage: { input_tokens: 11, output_tokens: 7 },
});

const chunk = (delta: object, finish_reason: string | null = null): { type?: string } & object => ({
  ...{ id: "c", object: "chat.completion.chunk", created: 1, model: "served-model-2" },
  ...{ choices: [{ index: 0, delta, finish_reason }] },
});

const OPENAI_LIKE: Omit<Provider, "name" | "agent"> = {
  answer: (content) => completion(content),
  calls: (calls) =>
    completion(null, {
      tool_calls: calls.map(({ id, name, args }) => ({
        ...(id === undefined ? {} : { id }),
        type: "function",
        function: { name, ...(args === undefined ? {} : { arguments: args }) },
      })),
    }),
  empty: { ...completion(""), choices: [] },
  pieces: (content) => [
    chunk({ role: "assistant", content: "" }),
    ...[...content].map((content) => chunk({ content })),
    chunk({}, "stop"),
  ],
  midStreamError: { error: { message: "overloaded", type: "server_error", code: 503 } } as object,
};

/** Every provider that hostile servers speak as. */
export const PROVIDERS: readonly Provider[] = [
  { name: "openai", agent: (options) => openaiAgent(options), ...OPENAI_LIKE },
  { name: "gemini", agent: (options) => geminiAgent(options), ...OPENAI_LIKE },
  {
    name: "anthropic",
    agent: (options) => anthropicAgent(options),
    answer: (text) => claude([{ type: "text", text }]),
    calls: (calls) =>
      claude(
        calls.map(({ id, name, args }) => ({ type: "tool_use", id, name, input: args })),
        "tool_use",
      ),
    empty: claude(null),
    pieces: (content) => [
      { type: "message_start", message: claude([], null) } as object,
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      ...[...content].map((text) => ({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text },
      })),
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 6 } },
      { type: "message_stop" },
    ],
    midStreamError: {
      type: "error",
      error: { type: "overloaded_error", message: "overloaded" },
    } as object,
  },
];

/** Names of the variables that hold the providers' keys. */
export const KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"] as const;

/** Sends a text that claims to be JSON. */
export function brokenJson(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "application/json" }).end(text);
}

/** Refuses. */
export const refuse = (response: ServerResponse, status: number, headers: object = {}): void =>
  json(response, { error: { message: `refused with ${status}`, type: "hostile" } }, status, headers);
