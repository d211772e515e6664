import { atlasAlerts, type BenchSession } from "./atlas-rule.ts";
import { pythonAlerts } from "./python-rule.ts";
import { type Random, randomOf } from "./random.ts";
import type { Stream } from "./streams.ts";

/** Sessions after a change in which it can be found. */
const HORIZON = 60;

/** What one rule did with many runs of a stream. */
export interface Outcome {
  sessions: number;
  /** Alerts where nothing had changed. */
  falseAlarms: number;
  runs: number;
  /** Sessions from the change to the first alert, that one included, of the runs in which there was one. */
  delays: number[];
}

/** Both rules on one stream. */
export interface Result {
  stream: Stream;
  atlas: Outcome;
  python: Outcome;
}

const nothing = (): Outcome => ({ sessions: 0, falseAlarms: 0, runs: 0, delays: [] });

/** Uncertainty, tokens and duration never change: what they raise is false. */
const sessionOf = (stream: Stream, random: Random, index: number): BenchSession => ({
  score: stream.score(random, index),
  uncertainty: Math.min(1, Math.max(0, random.normal(0.15, 0.04))),
  tokens: Math.round(Math.exp(random.normal(8, 0.4))),
  seconds: Math.exp(random.normal(3, 0.5)),
});

function count(outcome: Outcome, alerts: readonly boolean[], changeAt: number | undefined): void {
  const before = alerts.slice(0, changeAt ?? alerts.length);
  outcome.runs += 1;
  outcome.sessions += before.length;
  outcome.falseAlarms += before.filter(Boolean).length;
  if (changeAt === undefined) return;
  const found = alerts.slice(changeAt, changeAt + HORIZON).indexOf(true);
  if (found !== -1) outcome.delays.push(found + 1);
}

/** Runs both rules over the same seeded sessions. */
export function measure(stream: Stream, runs: number, length: number): Result {
  const result: Result = { stream, atlas: nothing(), python: nothing() };
  for (let run = 0; run < runs; run += 1) {
    const random = randomOf(1000 * run + 7);
    const total = stream.changeAt === undefined ? length : stream.changeAt + HORIZON;
    const sessions = Array.from({ length: total }, (_, index) => sessionOf(stream, random, index));
    const assessed = atlasAlerts(`${stream.name} ${run}`, sessions);
    count(
      result.atlas,
      assessed.map(({ alert }) => alert),
      stream.changeAt,
    );
    count(result.python, pythonAlerts(sessions), stream.changeAt);
  }
  return result;
}

/** Alerts for each 1,000 sessions among which nothing changed. */
export const perThousand = ({ falseAlarms, sessions }: Outcome): number => (1000 * falseAlarms) / sessions;
