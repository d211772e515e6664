import type { JsonText } from "../../schemas/generated/events.ts";
import { type ChatMessage, type ChatToolCall, textOf } from "../chat/message.ts";
import { argumentsText } from "../chat/tool-call.ts";
import { type OpenCall, OpenCalls, type RecordedToolCall } from "./open-calls.ts";

/** The tool calls of a conversation, by the index of the message that asked for them. */
export interface PairedToolCalls {
  callsOf: Map<number, RecordedToolCall[]>;
  /** The call that the message at an index answers. */
  answeredBy: Map<number, RecordedToolCall>;
}

/** Text that is no JSON becomes a JSON string, so that the field always holds JSON; none at all is no arguments. */
function jsonOf(text: string): JsonText {
  if (text.trim() === "") return "{}";
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

interface Asked {
  id: string | undefined;
  name: string;
  arguments: JsonText;
}

function askedFor({ id, function: called, custom }: ChatToolCall): Asked {
  const given = called ?? custom;
  const text =
    called === undefined ? JSON.stringify(custom?.input ?? "") : jsonOf(argumentsText(called.arguments));
  return { id: id || undefined, name: given?.name ?? "", arguments: text };
}

function askedBy({ tool_calls, function_call }: ChatMessage): Asked[] {
  const legacy = function_call
    ? [{ function: { ...function_call, arguments: argumentsText(function_call.arguments) } }]
    : [];
  return (tool_calls ?? legacy).map(askedFor);
}

const isAnswer = ({ role }: ChatMessage): boolean => role === "tool" || role === "function";

/** Numbers ids that come again. The last number of each is kept: an id may come again in every turn. */
function uniqueIds(): (wanted: string) => string {
  const used = new Set<string>();
  const last = new Map<string, number>();
  return (wanted) => {
    let id = wanted;
    let again = last.get(wanted) ?? 1;
    while (used.has(id)) {
      again += 1;
      id = `${wanted}#${again}`;
    }
    last.set(wanted, again);
    used.add(id);
    return id;
  };
}

/**
 * Finds every tool call and its result: by id, else by name, else in order; of two candidates the later turn's. A result
 * that names a call which comes after it belongs to that call.
 */
export function pairToolCalls(messages: readonly ChatMessage[]): PairedToolCalls {
  const callsOf = new Map<number, RecordedToolCall[]>();
  const answeredBy = new Map<number, RecordedToolCall>();
  const unique = uniqueIds();
  const early = new Map<string, number>();
  const open = new OpenCalls();
  let stepId = 0;

  const pair = ({ call }: OpenCall, index: number): void => {
    call.resultAt = index;
    answeredBy.set(index, call);
  };

  messages.forEach((message, index) => {
    if (message.role === "assistant") {
      stepId += 1;
      const asked = askedBy(message).map(({ id, name, arguments: text }, place): OpenCall => {
        const callId = unique(id ?? `step-${stepId}-call-${place + 1}`);
        const call = { callId, stepId, name, arguments: text, resultAt: undefined };
        return { id, call, isAnswered: false };
      });
      callsOf.set(
        index,
        asked.map(({ call }) => call),
      );
      for (const each of asked) {
        const at = each.id === undefined ? undefined : early.get(each.id);
        if (at === undefined) open.add(each);
        else {
          early.delete(each.id!);
          pair(each, at);
        }
      }
    } else if (isAnswer(message)) {
      const found = open.take(message);
      if (found !== undefined) pair(found, index);
      else if (message.tool_call_id) early.set(message.tool_call_id, index);
    }
  });
  return { callsOf, answeredBy };
}

/** What a tool answered, as text: parts that are not text make it JSON. */
export function resultOf(message: ChatMessage): string {
  const { content } = message;
  if (!Array.isArray(content)) return content ?? "";
  const isText = content.every((part) => typeof part === "string" || typeof part.text === "string");
  return isText ? (textOf(message) ?? "") : JSON.stringify(content);
}
