import type { Micros, ReviewDecided, Uuid } from "../schemas/generated/events.ts";
import { newest } from "./drift-cohort.ts";
import { isImported } from "./drift-order.ts";
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

const wordOf = ({ meta, decision }: ReviewDecided): Word => ({
  at: meta.occurred_at,
  id: meta.event_id,
  approved: decision === "approved",
});

/** Adds a decision. One that is there already is not added again. */
export function addWord(words: Words, fact: ReviewDecided): Words {
  const session = sessionOf(fact);
  const word = wordOf(fact);
  const others = (words[session] ?? []).filter((other) => other.id !== word.id);
  return { ...words, [session]: [...others, word].sort((a, b) => (isBefore(a, b) ? -1 : 1)) };
}

/** The latest word on a session by a time, that time included; undefined where nobody had decided. */
export const wordBy = (words: Words, session: Uuid, time: Micros): Word | undefined =>
  words[session]?.findLast(({ at }) => at <= time);

/** A word on a session whose reward has not come. */
export interface EarlyWord extends Word {
  session: Uuid;
}

/** An import appends what was decided before drift has taken the sessions: so many words wait for them. */
const MOST_IMPORTED = 10_000;

/** Keeps a decision for a session whose reward has not come: the newest `spare` on live sessions, and on imported ones more. */
export function addEarly(early: readonly EarlyWord[], fact: ReviewDecided, spare: number): EarlyWord[] {
  const { event_id: id } = fact.meta;
  const words = [...early.filter((other) => other.id !== id), { session: sessionOf(fact), ...wordOf(fact) }];
  if (words.length <= spare) return words;
  const [imported, live] = [true, false].map((which) =>
    words.filter(({ session }) => isImported(session) === which),
  ) as [EarlyWord[], EarlyWord[]];
  if (live.length <= spare && imported.length <= MOST_IMPORTED) return words;
  const latest = (list: EarlyWord[], count: number): EarlyWord[] =>
    newest(
      list.sort((a, b) => (isBefore(a, b) ? -1 : 1)),
      count,
    );
  return [...latest(imported, MOST_IMPORTED), ...latest(live, spare)];
}

/** Moves the words that waited for a session to the others. */
export function wordsFor(
  session: Uuid,
  { words, early }: { words: Words; early: EarlyWord[] },
): { words: Words; early: EarlyWord[] } {
  const own = early.filter((word) => word.session === session);
  if (own.length === 0) return { words, early };
  const sorted = own
    .map(({ at, id, approved }) => ({ at, id, approved }))
    .sort((a, b) => (isBefore(a, b) ? -1 : 1));
  return { words: { ...words, [session]: sorted }, early: early.filter((word) => word.session !== session) };
}

/** The words on these sessions. */
export function wordsOn(words: Words, sessions: ReadonlySet<Uuid>): Words {
  const ids = Object.keys(words);
  const kept = ids.filter((id) => sessions.has(id));
  return kept.length === ids.length ? words : Object.fromEntries(kept.map((id) => [id, words[id]!]));
}
