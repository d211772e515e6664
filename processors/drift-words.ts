import type { Micros, ReviewDecided, Uuid } from "../schemas/generated/events.ts";
import { sessionOf } from "./fact-fields.ts";

/** What a person said about a session. */
export interface Word {
  at: Micros;
  id: Uuid;
  approved: boolean;
}

/** What persons said, by session; of each session in the order of time, then id. */
export type Words = Record<Uuid, Word[]>;

const isBefore = (a: Word, b: Word): boolean => (a.at === b.at ? a.id < b.id : a.at < b.at);

/** Adds a decision. One that is there already is not added again. */
export function addWord(words: Words, fact: ReviewDecided): Words {
  const session = sessionOf(fact);
  const { event_id: id, occurred_at: at } = fact.meta;
  const word = { at, id, approved: fact.decision === "approved" };
  const others = (words[session] ?? []).filter((other) => other.id !== id);
  return { ...words, [session]: [...others, word].sort((a, b) => (isBefore(a, b) ? -1 : 1)) };
}

/** The latest word on a session by a time, that time included; undefined where nobody had decided. */
export const wordBy = (words: Words, session: Uuid, time: Micros): Word | undefined =>
  words[session]?.findLast(({ at }) => at <= time);

/**
 * Keeps the words on the given sessions, and the newest `spare` of the others: a decision may arrive before the
 * reward of its session does.
 */
export function keepWords(words: Words, sessions: ReadonlySet<Uuid>, spare: number): Words {
  const ids = Object.keys(words);
  const others = ids.filter((id) => !sessions.has(id));
  if (others.length <= spare) return words;
  const latest = (id: Uuid): Word => words[id]!.at(-1)!;
  const dropped = new Set(
    others.sort((a, b) => (isBefore(latest(a), latest(b)) ? -1 : 1)).slice(0, others.length - spare),
  );
  return Object.fromEntries(ids.filter((id) => !dropped.has(id)).map((id) => [id, words[id]!]));
}
