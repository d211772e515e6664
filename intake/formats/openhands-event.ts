import { isObject } from "../../traces/clean-text.ts";
import { objectIn } from "./fields.ts";
import type { Event } from "./openhands-turns.ts";

/** Fields of an event; all others of one without `args` are what it was done with. */
const OF_EVENT = new Set([
  "id",
  "timestamp",
  "source",
  "message",
  "cause",
  "action",
  "observation",
  "tool_call_metadata",
  "llm_metrics",
  "timeout",
  "args",
]);
/** What is done about the agent, and not by it. */
export const ABOUT_ACTIONS = new Set([
  "change_agent_state",
  "null",
  "recall",
  "condensation",
  "condensation_request",
  "pause",
  "resume",
  "stop",
  "loop_recovery",
]);
export const ABOUT_OBSERVATIONS = new Set([
  "agent_state_changed",
  "null",
  "recall",
  "condense",
  "loop_detection",
]);
/** What the framework keeps beside what the agent asked for. */
export const OF_FRAMEWORK = new Set([
  "thought",
  "is_confirmed",
  "confirmation_state",
  "action_risk",
  "security_risk",
  "keep_prompt",
  "kernel_init_code",
  "hidden",
  "include_extra",
]);

/** Whether a value is an event of OpenHands: something that was done, or what was seen of it. */
export const isEvent = (value: unknown): value is Event =>
  isObject(value) &&
  value.role === undefined &&
  (typeof value.action === "string") !== (typeof value.observation === "string");

/** What an action was done with. */
export const argsOf = (event: Event): Event =>
  objectIn(event.args) ?? Object.fromEntries(Object.entries(event).filter(([name]) => !OF_EVENT.has(name)));

/** An event without what it was done with, where that stands among its fields. */
export const ownOf = (event: Event): Event =>
  event.args === undefined
    ? Object.fromEntries(Object.entries(event).filter(([name]) => OF_EVENT.has(name)))
    : event;
