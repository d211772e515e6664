import { expect } from "vitest";
import { factsOf } from "../../../intake/import/conversation-facts.ts";
import { FileFormats } from "../../../intake/import/file-formats.ts";
import { sessionOf } from "../../../intake/import/recorded-session.ts";
import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { foldSession } from "../../../traces/fold.ts";
import type { SessionTrace } from "../../../traces/session-trace.ts";
import { OPTIONS } from "../import/recorded-rows.ts";

/** What the values of a file come to. */
export interface ReadFile {
  /** The name of each session's format. */
  formats: string[];
  sessions: SessionTrace[];
  events: AtlasEvent[][];
  notes: string[];
  problems: string[];
}

/** Reads values as the rows of one file. */
export function readValues(values: readonly unknown[]): ReadFile {
  const formats = new FileFormats({});
  for (const [index, value] of values.entries())
    formats.add({ line: index + 1, text: JSON.stringify(value) });
  formats.end();
  const notes = formats.takeNotes().map(({ reason }) => reason);
  const problems = formats.takeProblems().map(({ reason }) => reason);
  const found = formats.takeConversations();
  const read = found.flatMap(({ format, conversation }) => {
    const facts = factsOf(conversation, { min: 0, max: 1 }, (note) => notes.push(note));
    if (typeof facts !== "string")
      return [{ format, events: sessionOf({ format, conversation, facts }, OPTIONS).events }];
    problems.push(facts);
    return [];
  });
  const events = read.map((each) => each.events);
  return {
    formats: read.map(({ format }) => format.name),
    sessions: events.map((own) => foldSession(own)),
    events,
    notes,
    problems,
  };
}

/** The one session that a file comes to. */
export function onlySession(...values: unknown[]): SessionTrace {
  const { sessions, problems } = readValues(values);
  expect(problems).toEqual([]);
  expect(sessions).toHaveLength(1);
  return sessions[0]!;
}

type Leaf = [path: string, value: string | number | boolean];

/** Every value of a tree that holds no other, but those that say nothing. */
function* leavesOf(value: unknown, path = ""): Generator<Leaf> {
  if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) yield* leavesOf(inner, `${path}/${key}`);
  } else if (value !== null && value !== undefined && value !== "") {
    const text = typeof value === "string" ? structureIn(value) : undefined;
    if (text === undefined) yield [path, value as string | number | boolean];
    else yield* leavesOf(text, path);
  }
}

/** The structure that a text holds as JSON. */
function structureIn(text: string): object | undefined {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    const parsed = JSON.parse(text) as unknown;
    if (typeof parsed === "string") return structureIn(parsed);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const nameOf = (path: string): string => path.split("/").at(-1)!;

/**
 * Makes sure that nothing of a recording is dropped: each of its leaf values stands in an event of the sessions that
 * came of it. A number or a truth value has to stand under its own name, or under another one that is given here.
 *
 * @param elsewhere why a leaf is in no event, by the last name of its path: what it became, or where it was told
 */
export function expectAccountedFor(
  values: readonly unknown[],
  elsewhere: Record<string, string> = {},
): ReadFile {
  const read = readValues(values);
  expect(read.problems).toEqual([]);
  expect(read.sessions.length).toBeGreaterThan(0);
  const texts: string[] = [];
  const named = new Set<string>();
  const numbers = new Set<number>();
  for (const event of read.events.flat()) {
    for (const [path, value] of leavesOf({ ...event, meta: undefined })) {
      if (typeof value === "string") texts.push(value);
      if (typeof value === "number") numbers.add(value);
      named.add(`${nameOf(path)}=${String(value)}`);
    }
    numbers.add(event.meta.occurred_at);
  }
  const all = texts.join("\0");
  const isThere = ([path, value]: Leaf): boolean => {
    if (Object.hasOwn(elsewhere, nameOf(path))) return true;
    if (typeof value === "string") return all.includes(value);
    return named.has(`${nameOf(path)}=${String(value)}`) || (typeof value === "number" && numbers.has(value));
  };
  const lost = [...leavesOf(values)]
    .filter((leaf) => !isThere(leaf))
    .map(([path, value]) => `${path} = ${value}`);
  expect(lost, "leaf values that no event holds").toEqual([]);
  return read;
}
