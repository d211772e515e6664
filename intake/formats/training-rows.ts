import { isObject } from "../../traces/clean-text.ts";
import { fromHermes, splitResults } from "../chat/hermes.ts";
import type { ChatMessage } from "../chat/message.ts";
import { isMessage, readMessages } from "../chat/read-messages.ts";
import { placeMedia, recordedMessage, takeLabel, toolsIn } from "./chat-rows.ts";
import { type Fields, listIn, nameIn, numberIn, objectIn, textIn } from "./fields.ts";
import type { ReadingContext, RecordedConversation } from "./format.ts";
import { metadataOf } from "./metadata-of.ts";

/** Rounds that came before, as pairs of what was asked and answered. */
function takeHistory(row: Fields): unknown[] {
  const rounds = row.take("history", (value) => {
    const list = listIn(value);
    return list?.every((round) => Array.isArray(round)) ? (list as unknown[][]) : undefined;
  });
  return (rounds ?? []).flatMap(([asked, answered, ...others]) => [
    { role: "user", content: asked },
    { role: "assistant", content: answered, ...(others.length > 0 && { others }) },
  ]);
}

/** What is asked by an instruction, and by what it is about. */
function takeInstruction(row: Fields): unknown[] | undefined {
  const instruction = textIn(row.record.instruction);
  const about = row.take("input", textIn) ?? row.take("context", textIn);
  if (instruction === undefined && about === undefined) return undefined;
  row.drop("instruction", "input");
  const content = [instruction, about].filter((text) => text !== undefined).join("\n");
  return [...takeHistory(row), { role: "user", content }];
}

const takeList = (row: Fields, name: string): unknown[] | undefined => row.take(name, listIn);

/**
 * Takes what a row for training says before its answer: turns of a conversation, or an instruction, or a prompt.
 *
 * @returns undefined where it says nothing
 */
export function takeAsked(row: Fields): unknown[] | undefined {
  const request = objectIn(row.record.input);
  const asked =
    takeList(row, "conversations") ??
    takeList(row, "conversation") ??
    takeList(row, "messages") ??
    (Array.isArray(request?.messages) ? (request.messages as unknown[]) : undefined) ??
    takeInstruction(row) ??
    takeList(row, "prompt") ??
    row.take("prompt", (value) => {
      const text = textIn(value);
      return text === undefined ? undefined : [{ role: "user", content: text }];
    });
  const system = row.take("system", textIn);
  if (system === undefined) return asked;
  return [{ role: "system", content: system }, ...(asked ?? [])];
}

/** Who says what in a transcript that is one text. */
const TRANSCRIPT = /(?:^|\n\n)(Human|Assistant): ?/;

/** What was answered, as messages: texts, a message, a list, or a transcript of all that was said. */
export function answersIn(value: unknown): unknown[] | undefined {
  const list = listIn(value);
  if (list !== undefined) return list;
  const object = objectIn(value);
  if (object !== undefined) return isMessage(object) ? [object] : undefined;
  if (typeof value !== "string") return undefined;
  if (!/^\s*Human: /.test(value)) return [{ role: "assistant", content: value }];
  const [, ...parts] = value.trimStart().split(TRANSCRIPT);
  return parts.flatMap((part, index) =>
    index % 2 === 0
      ? [{ role: part === "Human" ? "user" : "assistant", content: (parts[index + 1] ?? "").trim() }]
      : [],
  );
}

/** Whether messages hold what was asked, and not the answer alone. */
const holdsAsked = (values: readonly unknown[]): boolean =>
  values.some(
    (value) => isObject(value) && ["user", "human", "system"].includes(String(value.role ?? value.from)),
  );

/** All that was said: what was asked, and the answer, which may begin with it again. */
export const allSaid = (asked: readonly unknown[], answer: readonly unknown[]): unknown[] =>
  holdsAsked(answer) ? [...answer] : [...asked, ...answer];

/** The messages of a row for training, with calls and results taken out of their texts. */
export function trainingMessages(values: readonly unknown[]): ChatMessage[] | string {
  const read = readMessages(values);
  return typeof read === "string" ? `conversations${read}` : splitResults(read.flatMap(fromHermes));
}

/** A conversation of a row, whose fields have been taken up to what all such rows may have. */
export function trainingConversation(
  row: Fields,
  messages: ChatMessage[],
  context: ReadingContext,
): RecordedConversation {
  const placed = placeMedia(row, messages, context);
  if (listIn(row.record.tools)?.length === 0) row.drop("tools");
  const own = row.take("metadata", objectIn);
  const conversation = {
    content: row.record,
    messages: placed.map((message, index) => recordedMessage(message, index, context)),
    id: row.take("id", nameIn),
    tools: row.take("tools", toolsIn) ?? row.take("functions", toolsIn),
    reward: row.takeOrTell("reward", numberIn, "a number", context.note) ?? takeLabel(row),
    agent: textIn(row.record.model),
  };
  return { ...conversation, metadata: metadataOf(own, row.rest()) };
}
