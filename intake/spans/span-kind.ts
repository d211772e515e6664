import type { Attributes } from "./attributes.ts";
import { isSayingEvent } from "./genai-events.ts";
import type { SpanEvent } from "./span.ts";
import type { WorkKind } from "./work.ts";

/** What a span stands for, by the words of all conventions. */
const KINDS: Record<string, WorkKind> = {
  llm: "model",
  generation: "model",
  chat: "model",
  completion: "model",
  text_completion: "model",
  generate_content: "model",
  responses: "model",
  tool: "tool",
  execute_tool: "tool",
  agent: "agent",
  invoke_agent: "agent",
  "ai.toolcall": "tool",
};

/** Attributes that say what a span is, the most telling first. */
const KIND_NAMES = [
  "openinference.span.kind",
  "langfuse.observation.type",
  "traceloop.span.kind",
  "gen_ai.operation.name",
  "ai.operationId",
  "llm.request.type",
] as const;

const AI_SDK_CALL = /^ai\.(generate|stream)(text|object)(\.do(generate|stream))?$/;

/** Google's ADK writes an empty request on other spans. */
const isRequest = (value: unknown): boolean => value !== undefined && value !== "" && value !== "{}";

/** What attributes say a span stands for. */
export function kindOf(attributes: Attributes, events: readonly SpanEvent[] = []): WorkKind {
  for (const name of KIND_NAMES) {
    const word = attributes.text(name)?.toLowerCase();
    if (word === undefined) continue;
    if (Object.hasOwn(KINDS, word)) return KINDS[word]!;
    if (AI_SDK_CALL.test(word)) return "model";
    if (name === "openinference.span.kind" || name === "gen_ai.operation.name" || name === "ai.operationId")
      return "other";
  }
  if (attributes.has("gen_ai.tool.name") || attributes.has("tool.name")) return "tool";
  const isCall =
    ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.completion"].some((name) =>
      attributes.has(name),
    ) ||
    attributes.has("llm.input_messages") ||
    isRequest(attributes.get("gcp.vertex.agent.llm_request")) ||
    events.some(isSayingEvent);
  return isCall ? "model" : "other";
}
