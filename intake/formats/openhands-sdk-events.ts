import { isObject } from "../../traces/clean-text.ts";
import { splitContent } from "../chat/content.ts";
import type { ContentPart } from "../chat/message.ts";
import { argumentsText } from "../chat/tool-call.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { objectIn } from "./fields.ts";
import {
  answeredIn,
  callsIn,
  closeFinished,
  type Event,
  type Turn,
  type Turns,
  textIn,
  unsaid,
} from "./openhands-turns.ts";

const MARKS = ["source", "tool_name", "tool_call_id", "llm_message", "system_prompt"];

/** Whether a value is an event of OpenHands' software agent SDK, whose events name their class. */
export const isSdkEvent = (value: unknown): value is Event =>
  isObject(value) &&
  typeof value.kind === "string" &&
  value.kind.endsWith("Event") &&
  MARKS.some((mark) => typeof value[mark] === "string" || isObject(value[mark]));

/** Images of a part one by one, as chat has them. */
function partsOf(part: unknown): unknown[] {
  if (part === null) return [];
  if (!isObject(part)) return [typeof part === "string" ? part : JSON.stringify(part)];
  if (!Array.isArray(part.image_urls)) return [part];
  const { image_urls, type: _type, ...rest } = part;
  return (image_urls as unknown[]).map((url) => ({
    type: "image_url",
    image_url: { url },
    ...unsaid(rest, ""),
  }));
}

/** The text of a list of parts, or the parts where there is more than text. */
function contentOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value ?? null;
  return splitContent(value.flatMap(partsOf) as ContentPart[]).content;
}

const wordsOf = (content: unknown): string =>
  typeof content === "string" ? content : content == null ? "" : JSON.stringify(content);

const callIdOf = (event: Event): string =>
  textIn(event.tool_call_id) || textIn(objectIn(event.tool_call)?.id) || `event-${String(event.id)}`;

function callOf(event: Event): Event {
  const call = objectIn(event.tool_call) ?? {};
  const called = objectIn(call.function) ?? call;
  const name = textIn(called.name) || textIn(event.tool_name);
  const id = callIdOf(event);
  const { kind: _kind, ...done } = objectIn(event.action) ?? {};
  const given = called.arguments ?? unsaid(done, "");
  return { id, type: "function", function: { name, arguments: argumentsText(given) } };
}

function addAction(event: Event, replies: Map<string, Turn>, turns: Turn[]): void {
  const { thought, reasoning_content, ...rest } = event;
  const reply = textIn(event.llm_response_id);
  const known = reply === "" ? undefined : replies.get(reply);
  const content = contentOf(thought);
  const words = wordsOf(content);
  if (known !== undefined) {
    (known.message.tool_calls as Event[]).push(callOf(event));
    (known.message.events as Event[]).push(unsaid(event, wordsOf(known.message.content)));
    return;
  }
  const turn: Turn = {
    message: {
      role: "assistant",
      content: words === "" ? null : content,
      ...(textIn(reasoning_content) !== "" && { reasoning_content }),
      tool_calls: [callOf(event)],
      events: [unsaid(rest, words)],
    },
    time: event.timestamp,
  };
  if (reply !== "") replies.set(reply, turn);
  turns.push(turn);
}

function resultOf(event: Event, tool_call_id: string): Turn {
  const { observation, error, tool_call_id: _id, ...rest } = event;
  const seen = objectIn(observation) ?? {};
  const content = contentOf(seen.content ?? seen.output ?? error ?? event.rejection_reason ?? observation);
  const { content: _content, output: _output, ...others } = seen;
  return {
    message: {
      role: "tool",
      tool_call_id,
      content: content ?? "",
      event: {
        ...unsaid(rest, ""),
        ...(Object.keys(others).length > 0 && { observation: unsaid(others, "") }),
      },
    },
    time: event.timestamp,
  };
}

/** What the agent was told to be, with the tools that it was given. */
function systemOf(event: Event, found: Turns): Turn {
  const { system_prompt, tools, ...rest } = event;
  found.tools ??= toolDefinitions(tools);
  const kept = found.tools === undefined ? { ...rest, tools } : rest;
  const content = contentOf(objectIn(system_prompt)?.text ?? system_prompt);
  return { message: { role: "system", content, event: unsaid(kept, "") }, time: event.timestamp };
}

function saidIn(event: Event, message: Event): Turn {
  const { llm_message: _message, ...rest } = event;
  const role = event.source === "agent" ? "assistant" : "user";
  const content = contentOf(message.content);
  return {
    message: { role, ...unsaid(message, ""), content, event: unsaid(rest, "") },
    time: event.timestamp,
  };
}

/** What the events of one conversation of the SDK come to. */
export function turnsOfSdkEvents(events: readonly Event[]): Turns {
  const found: Turns = { turns: [], beside: [], end: {} };
  const replies = new Map<string, Turn>();
  /** Calls by the event that made them. */
  const calls = new Map<unknown, string>();
  for (const event of events) {
    const message = objectIn(event.llm_message);
    const answered = textIn(event.tool_call_id) || calls.get(event.action_id);
    if (event.kind === "ActionEvent") {
      addAction(event, replies, found.turns);
      if (event.id !== undefined) calls.set(event.id, callIdOf(event));
    } else if (answered !== undefined) found.turns.push(resultOf(event, answered));
    else if (event.kind === "SystemPromptEvent") found.turns.push(systemOf(event, found));
    else if (message !== undefined) found.turns.push(saidIn(event, message));
    else found.beside.push(event);
    if (event.kind === "ConversationErrorEvent") {
      const error = textIn(event.detail) || textIn(event.code) || "the run ended in an error";
      found.end = { status: "failed", error };
    }
  }
  const ids = answeredIn(found.turns);
  closeFinished(found.turns, (turn) =>
    callsIn(turn).some((call) => objectIn(call.function)?.name === "finish" && !ids.has(call.id)),
  );
  return found;
}
