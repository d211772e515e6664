import type { JsonText } from "../../schemas/generated/events.ts";
import { elementsOf, membersOf } from "./json-slices.ts";
import { type RecordedMessage, textOf } from "./recorded-row.ts";

/** A tool call of a recorded conversation. */
export interface RecordedToolCall {
  /** Unique in the session: the recorded id, numbered where it comes again, or one that was made up. */
  callId: string;
  stepId: number;
  name: string;
  arguments: JsonText;
  /** Index of the message with its result; undefined where there is none. */
  resultAt: number | undefined;
}

/** The tool calls of a conversation, by the index of the message that asked for them. */
export interface PairedToolCalls {
  callsOf: Map<number, RecordedToolCall[]>;
  /** The call that the message at an index answers. */
  answeredBy: Map<number, RecordedToolCall>;
}

/** Text that is no JSON becomes a JSON string, so that the field always holds JSON. */
function argumentsText(value: unknown, raw: string): JsonText {
  if (typeof value !== "string") return raw;
  try {
    JSON.parse(value);
    return value;
  } catch {
    return JSON.stringify(value);
  }
}

interface Asked {
  id: string | undefined;
  name: string;
  arguments: JsonText;
}

function calledFunction(value: { name: string; arguments?: unknown }, raw: string): Omit<Asked, "id"> {
  const text = membersOf(raw).get("arguments") ?? "{}";
  return { name: value.name, arguments: argumentsText(value.arguments, text) };
}

function askedBy({ value, raw }: RecordedMessage): Asked[] {
  const members = value.tool_calls || value.function_call ? membersOf(raw) : undefined;
  if (value.tool_calls) {
    const raws = elementsOf(members!.get("tool_calls")!);
    return value.tool_calls.map((call, index) => ({
      id: call.id || undefined,
      ...calledFunction(call.function, membersOf(raws[index]!).get("function")!),
    }));
  }
  if (!value.function_call) return [];
  return [{ id: undefined, ...calledFunction(value.function_call, members!.get("function_call")!) }];
}

/** Finds every tool call and its result: by id, else by name, else in order; of two candidates the later turn's. */
export function pairToolCalls(messages: readonly RecordedMessage[]): PairedToolCalls {
  const callsOf = new Map<number, RecordedToolCall[]>();
  const answeredBy = new Map<number, RecordedToolCall>();
  const used = new Set<string>();
  let open: { call: RecordedToolCall; id: string | undefined }[] = [];
  let stepId = 0;

  const unique = (wanted: string): string => {
    let id = wanted;
    for (let again = 2; used.has(id); again += 1) id = `${wanted}#${again}`;
    used.add(id);
    return id;
  };

  messages.forEach((message, index) => {
    const { role, name, tool_call_id } = message.value;
    if (role === "assistant") {
      stepId += 1;
      const asked = askedBy(message).map(({ id, name, arguments: text }, place) => {
        const callId = unique(id ?? `step-${stepId}-call-${place + 1}`);
        return { id, call: { callId, stepId, name, arguments: text, resultAt: undefined } };
      });
      callsOf.set(
        index,
        asked.map(({ call }) => call),
      );
      // The latest turn stands first: it is the one that a result belongs to.
      open = [...asked, ...open];
    } else if (role === "tool" || role === "function") {
      const found = open.find(({ call, id }) => {
        if (tool_call_id) return id === tool_call_id;
        return name ? call.name === name : true;
      });
      if (found === undefined) return;
      open = open.filter((candidate) => candidate !== found);
      found.call.resultAt = index;
      answeredBy.set(index, found.call);
    }
  });
  return { callsOf, answeredBy };
}

/** What a tool answered, as text: parts that are not text make it the JSON that was recorded. */
export function resultOf({ value, raw }: RecordedMessage): string {
  if (!Array.isArray(value.content)) return value.content ?? "";
  const isText = value.content.every((part) => typeof part === "string" || typeof part.text === "string");
  return isText ? (textOf(value) ?? "") : membersOf(raw).get("content")!;
}
