import type { DriftGuardrails, DriftMetricName } from "../schemas/rules.ts";
import { type Entry, inRow, type Level, type Marks, newest, type Place, precedes } from "./drift-cohort.ts";
import { scaled } from "./drift-metrics.ts";
import { type Words, wordBy } from "./drift-words.ts";

/** What a session is held against: the sessions of its cohort, or of the wider one, with what was found in them. */
export interface Reference {
  /** In order; those after the session do not count. */
  sessions: readonly Entry[];
  marks: Marks;
  /** They are those of the wider cohort. */
  wide: boolean;
}

/** An earlier session with a metric. */
export interface Seen {
  place: Place;
  /** In the metric's own unit. */
  value: number;
  /** On the metric's scale. */
  x: number;
  /** Rank score against the same kind of reference, where there was one. */
  rank: number | undefined;
  /** It counts for baselines. */
  settled: boolean;
}

/** What one metric of a session is held against. */
export interface Sample {
  /** Sessions of the present level before this one, without those a person has quarantined by then. */
  seen: Seen[];
  /** Those of them that count for baselines: ranks are taken among them. */
  held: Seen[];
  /** The newest of these: the baseline. */
  before: Seen[];
  level: Level | undefined;
  /** The level is one that this session does not belong to: a later one. */
  overtaken: boolean;
}

const NOTHING: Sample = { seen: [], held: [], before: [], level: undefined, overtaken: false };

/** How many sessions a cohort keeps: what tests look at, and so many that one overtaken by a window finds a whole one. */
export const keptBy = ({ window, history }: DriftGuardrails): number => Math.max(2 * window, history);

/** What one metric of a session is held against. */
export function sampleOf(
  metric: DriftMetricName,
  { place, values }: Entry,
  { sessions, marks, wide }: Reference,
  { words, guardrails }: { words: Words; guardrails: DriftGuardrails },
): Sample {
  if (inRow(values, metric) === undefined) return NOTHING;
  const known = marks.levels[metric];
  const level = known !== undefined && !precedes(place, known.from) ? known : undefined;
  const seen: Seen[] = [];
  for (const entry of sessions) {
    if (!precedes(entry.place, place)) break;
    const value = inRow(entry.values, metric);
    if (value === undefined) continue;
    if (level !== undefined && precedes(entry.place, level.from)) continue;
    const word = wordBy(words, entry.place[1], place[0]);
    if (word?.approved === false) continue;
    const isFound = level !== undefined && !precedes(level.found, entry.place);
    seen.push({
      place: entry.place,
      value,
      x: scaled(metric, value),
      rank: (entry.wide === true) === wide ? inRow(entry.ranks, metric) : undefined,
      settled: entry.alert !== true || isFound || word?.approved === true,
    });
  }
  const { window, history } = guardrails;
  const held = newest(
    seen.filter(({ settled }) => settled),
    Math.max(window, history),
  );
  return {
    seen: newest(seen, keptBy(guardrails)),
    held,
    before: newest(held, window),
    level,
    overtaken: known !== undefined && (level === undefined || !precedes(level.found, place)),
  };
}
