import { isObject } from "../../traces/clean-text.ts";
import { listIn } from "./fields.ts";
import type { Format, RecordedConversation } from "./format.ts";
import { isExported, readRow } from "./trl.ts";

/** A row of ours with one turn of the agent, and all before it as its prompt. */
const isTurn = (row: unknown): row is Record<string, unknown> =>
  isObject(row) &&
  isExported(row) &&
  row.group_id === undefined &&
  row.label === undefined &&
  listIn(row.completion)?.length === 1;

const saidIn = ({ prompt, completion }: Record<string, unknown>): string[] =>
  [...(listIn(prompt) ?? []), ...(listIn(completion) ?? [])].map((message) => JSON.stringify(message));

/** Turns that are the beginning of another: that one holds all that they do. */
function withoutBeginnings(rows: readonly unknown[]): unknown[] {
  const all = rows.map((row) => (isTurn(row) ? saidIn(row) : []));
  const isBeginning = (said: readonly string[]): boolean =>
    said.length > 0 &&
    all.some((other) => other.length > said.length && said.every((message, at) => message === other[at]));
  return rows.filter((_, index) => !isBeginning(all[index]!));
}

/** Rows of `trl-prompt-completion`: those of one conversation are put together again. */
export const trlTurns: Format = {
  name: "trl-turns",
  translation: 1,
  about: "rows of our trl-prompt-completion: the turns of one conversation are one session again",
  recognizes: isTurn,
  partOf: (value) =>
    isTurn(value) ? JSON.stringify([value.session_id, value.step_id]) : JSON.stringify(value),
  read(values) {
    const found: RecordedConversation[] = [];
    for (const row of withoutBeginnings(values)) {
      const conversations = isObject(row) ? readRow([row]) : "it is no object";
      if (typeof conversations === "string") return conversations;
      for (const each of conversations) found.push(each);
    }
    return found;
  },
};
