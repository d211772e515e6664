import { isObject } from "../../traces/clean-text.ts";
import { splitContent } from "../chat/content.ts";
import type { ContentPart } from "../chat/message.ts";
import { argumentsText } from "../chat/tool-call.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { listIn, objectIn } from "./fields.ts";
import { closeFinished, type Event, type Turn, type Turns, textIn, unsaid } from "./openhands-turns.ts";

/** Whether a value is an event of OpenHands' software agent SDK, whose events name their class. */
export const isSdkEvent = (value: unknown): value is Event =>
  isObject(value) &&
  typeof value.kind === "string" &&
  value.kind.endsWith("Event") &&
  typeof value.source === "string";

/** The text of a list of parts, or the parts where there is more than text. */
function contentOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value ?? null;
  return splitContent(value as ContentPart[]).content;
}

const wordsOf = (content: unknown): string =>
  typeof content === "string" ? content : content == null ? "" : JSON.stringify(content);

function callOf(event: Event): Event {
  const call = objectIn(event.tool_call) ?? {};
  const called = objectIn(call.function) ?? call;
  const name = textIn(called.name) || textIn(event.tool_name);
  const id = textIn(event.tool_call_id) || textIn(call.id);
  const given = called.arguments ?? unsaid(objectIn(event.action) ?? {}, "");
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

function resultOf(event: Event): Turn {
  const { observation, error, tool_call_id, ...rest } = event;
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

/** What the events of one conversation of the SDK come to. */
export function turnsOfSdkEvents(events: readonly Event[]): Turns {
  const found: Turns = { turns: [], beside: [], end: {} };
  const replies = new Map<string, Turn>();
  for (const event of events) {
    const message = objectIn(event.llm_message);
    if (event.kind === "ActionEvent") addAction(event, replies, found.turns);
    else if (event.tool_call_id !== undefined && event.tool_call_id !== null)
      found.turns.push(resultOf(event));
    else if (event.kind === "SystemPromptEvent") {
      const { system_prompt, tools, ...rest } = event;
      found.tools ??= toolDefinitions(tools);
      const kept = found.tools === undefined ? event.tools : undefined;
      const content = contentOf(objectIn(system_prompt)?.text ?? system_prompt);
      found.turns.push({
        message: { role: "system", content, event: { ...rest, ...(kept !== undefined && { tools: kept }) } },
        time: event.timestamp,
      });
    } else if (message !== undefined) {
      const { llm_message: _message, ...rest } = event;
      const said = { ...unsaid(message, ""), content: contentOf(message.content), event: unsaid(rest, "") };
      found.turns.push({ message: said, time: event.timestamp });
    } else found.beside.push(event);
    if (event.kind === "ConversationErrorEvent")
      found.end = {
        status: "failed",
        error: textIn(event.detail) || textIn(event.code) || "the run ended in an error",
      };
  }
  const isFinish = ({ message }: Turn): boolean =>
    (listIn(message.tool_calls) ?? []).some(
      (call) => objectIn(objectIn(call)?.function)?.name === "finish",
    ) &&
    !found.turns.some(
      (turn) => turn.message.tool_call_id === objectIn((listIn(message.tool_calls) ?? [])[0])?.id,
    );
  closeFinished(found.turns, isFinish);
  return found;
}
