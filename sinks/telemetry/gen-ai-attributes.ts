import type {
  ModelCallEnded,
  ModelCallStarted,
  SessionEnded,
  SessionStarted,
  TokenUsage,
  ToolCallEnded,
  ToolCallStarted,
} from "../../schemas/generated/events.ts";
import { inputMessages, outputMessages, parsed } from "./message-parts.ts";
import { known, type SpanAttributes } from "./span.ts";

/** The conventions' names of providers that have another one here. */
const PROVIDERS: Record<string, string> = { gemini: "gcp.gemini" };
/** Kinds of agents that are a model of a provider. */
const MODEL_KINDS = new Set(["openai", "anthropic", "gemini"]);

const providerOf = (provider: string): string => PROVIDERS[provider] ?? provider;

/** The stable code with which an error text begins. */
export const errorType = (error: string | null | undefined): string =>
  /^ATLAS_[A-Z_]+/.exec(error ?? "")?.[0] ?? "_OTHER";

function usageAttributes(usage: TokenUsage | null | undefined): SpanAttributes {
  return known({
    "gen_ai.usage.input_tokens": usage?.prompt_tokens,
    "gen_ai.usage.output_tokens": usage?.completion_tokens,
    "gen_ai.usage.cache_read.input_tokens": usage?.cached_tokens,
    "gen_ai.usage.reasoning.output_tokens": usage?.reasoning_tokens,
  });
}

const REQUEST_PARAMETERS = [
  "temperature",
  "top_p",
  "max_tokens",
  "seed",
  "frequency_penalty",
  "presence_penalty",
] as const;

function parameterAttributes(parameters: string | null | undefined): SpanAttributes {
  const read = parsed(parameters);
  if (typeof read !== "object" || read === null) return {};
  const given = read as Record<string, unknown>;
  const numbers = REQUEST_PARAMETERS.map((name) => [`gen_ai.request.${name}`, given[name]]).filter(
    ([, value]) => typeof value === "number",
  );
  const wantsJson = given["json"] === true || given["json_schema"] !== undefined;
  return { ...Object.fromEntries(numbers), ...(wantsJson ? { "gen_ai.output.type": "json" } : {}) };
}

/** What a session's span says from its start. */
export function sessionAttributes(event: SessionStarted, capture: boolean): SpanAttributes {
  const { agent, agent_kind: kind, task, executor_system_prompt: system } = event;
  return known({
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": kind && MODEL_KINDS.has(kind) ? providerOf(kind) : null,
    "gen_ai.agent.name": agent,
    "gen_ai.conversation.id": event.meta.session_id,
    "atlas.agent.kind": kind,
    "atlas.learning_key": event.learning_key,
    "atlas.project": event.project,
    "atlas.tenant": event.tenant,
    "atlas.group_id": event.group_id,
    "atlas.rollout": event.rollout,
    "atlas.simulated": event.simulated ? true : null,
    ...(capture && {
      "gen_ai.input.messages": inputMessages(JSON.stringify([{ role: "user", content: task }])),
      "gen_ai.system_instructions": system ? JSON.stringify([{ type: "text", content: system }]) : null,
    }),
  });
}

/** What a session's span says at its end. */
export function sessionOutcome(event: SessionEnded, capture: boolean): SpanAttributes {
  const { status, error, usage, cost, final_answer: content } = event;
  return known({
    "atlas.session.status": status,
    "atlas.cost_usd": cost,
    "error.type": status === "succeeded" ? null : errorType(error),
    ...usageAttributes(usage),
    ...(capture && content ? { "gen_ai.output.messages": outputMessages({ content }) } : {}),
  });
}

/** Where in its session a call was made. */
const placeAttributes = (event: ModelCallStarted | ToolCallStarted): SpanAttributes =>
  known({ "atlas.step.id": event.step_id, "atlas.attempt": event.attempt });

/** What the span of a model call says from its start. */
export function chatAttributes(event: ModelCallStarted, capture: boolean): SpanAttributes {
  return known({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": providerOf(event.provider),
    "gen_ai.request.model": event.model,
    "gen_ai.conversation.id": event.meta.session_id,
    ...parameterAttributes(event.parameters),
    "atlas.role": event.role,
    "atlas.prompt_version": event.prompt_version,
    ...placeAttributes(event),
    ...(capture && {
      "gen_ai.input.messages": inputMessages(event.messages),
      "gen_ai.tool.definitions": event.tools,
    }),
  });
}

/** What the span of a model call says at its end. */
export function chatOutcome(event: ModelCallEnded, capture: boolean): SpanAttributes {
  const failed = event.error != null;
  return known({
    "gen_ai.response.model": failed ? null : event.model,
    "gen_ai.response.finish_reasons": event.finish_reason == null ? null : [event.finish_reason],
    ...usageAttributes(event.usage),
    "atlas.cost_usd": event.cost,
    "atlas.tries": event.tries,
    "error.type": failed ? errorType(event.error) : null,
    ...(capture && !failed && { "gen_ai.output.messages": outputMessages(event) }),
  });
}

/** What the span of a tool call says from its start. */
export function toolAttributes(event: ToolCallStarted, capture: boolean): SpanAttributes {
  return known({
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": event.name,
    "gen_ai.tool.call.id": event.call_id,
    "gen_ai.conversation.id": event.meta.session_id,
    ...placeAttributes(event),
    ...(capture && { "gen_ai.tool.call.arguments": event.arguments }),
  });
}

/** What the span of a tool call says at its end. */
export function toolOutcome(event: ToolCallEnded, capture: boolean): SpanAttributes {
  return known({
    "error.type": event.error == null ? null : errorType(event.error),
    ...(capture && { "gen_ai.tool.call.result": event.output }),
  });
}
