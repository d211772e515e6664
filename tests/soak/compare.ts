import type { Outcome } from "./outcome.ts";

/** What must not happen, by class. */
export interface Anomaly {
  kind: "lost" | "duplicated" | "different" | "stuck";
  what: string;
}

const SHOWN = 300;

const cut = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function missingFrom(texts: readonly string[], expected: readonly string[]): string[] {
  const counts = counted(texts);
  return expected.filter((text) => {
    const left = counts.get(text) ?? 0;
    counts.set(text, left - 1);
    return left <= 0;
  });
}

/** Holds a set of texts against that of the undisturbed run. */
function compareSets(name: string, got: readonly string[], expected: readonly string[]): Anomaly[] {
  const missing = missingFrom(got, expected);
  const extra = missingFrom(expected, got);
  if (missing.length === 0 && extra.length === 0) return [];
  const counts = `${name}: ${got.length} instead of ${expected.length}`;
  const first = [
    ...missing.slice(0, 1).map((text) => `lacks ${cut(text)}`),
    ...extra.slice(0, 1).map((text) => `has ${cut(text)}`),
  ];
  const kind =
    got.length < expected.length ? "lost" : got.length > expected.length ? "duplicated" : "different";
  return [{ kind, what: `${counts}; ${first.join("; ")}` }];
}

function compareExports(got: string, expected: string): Anomaly[] {
  if (got === expected) return [];
  const [lines, wanted] = [got.split("\n"), expected.split("\n")];
  const line = wanted.findIndex((text, index) => text !== lines[index]);
  const column = [...(wanted[line] ?? "")].findIndex(
    (character, index) => character !== lines[line]?.[index],
  );
  const around = (text: string | undefined): string =>
    text?.slice(Math.max(0, column - 80), column + 80) ?? "nothing";
  const what = `the export differs at ${line + 1}:${column + 1}; …${around(lines[line])}… instead of …${around(wanted[line])}…`;
  return [{ kind: "different", what }];
}

/** What a disturbed run made different from an undisturbed one. */
export function anomaliesOf(got: Outcome, expected: Outcome): Anomaly[] {
  const always = [
    ...got.broken.map((what): Anomaly => ({ kind: "lost", what })),
    ...got.twice.map((what): Anomaly => ({ kind: "duplicated", what: `${what} is there twice` })),
  ];
  const compareTopic = (topic: string): Anomaly[] =>
    compareSets(topic, got.events[topic]!, expected.events[topic]!);
  const tables = Object.keys(expected.tables);
  return [
    ...always,
    ...Object.keys(expected.events).flatMap(compareTopic),
    ...tables.flatMap((table) => compareSets(table, got.tables[table]!, expected.tables[table]!)),
    ...compareExports(got.exported, expected.exported),
  ];
}
