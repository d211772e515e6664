import { idOf } from "../../schemas/identity.ts";
import { atlasAlerts, type BenchSession } from "./atlas-rule.ts";
import { pythonRule } from "./python-rule.ts";
import { randomOf } from "./random.ts";
import { ewma, type Found, pageHinkley, type Rule } from "./rivals.ts";
import type { Stream } from "./streams.ts";

/** Sessions after a change in which it can be found. */
export const HORIZON = 60;

/** What Atlas says, under the default rules. */
const atlas: Rule = (sessions) =>
  atlasAlerts("stream", sessions).map(({ alert, reason, direction }) =>
    alert ? [{ metric: reason!.split("_")[0], direction } as Found] : [],
  );

/**
 * Rules that are held against one another. The thresholds of the charts give them about the false alarms that Atlas has
 * on the stream "normal"; they were set on other seeds.
 */
export const RULES = {
  Atlas: atlas,
  EWMA: ewma(3.6),
  "Page–Hinkley": pageHinkley(13),
  "Python rule": pythonRule,
} as const satisfies Record<string, Rule>;
/** The name of one of them. */
export type RuleName = keyof typeof RULES;

/** What one rule did with many runs of a stream. */
export interface Outcome {
  /** Sessions among which nothing had changed. */
  sessions: number;
  /** Alerts among them, each session once. */
  falseAlarms: number;
  /**
   * Of each run, the sessions from the change to the first alert of the right metric and direction, that one included;
   * `Infinity` where there is none within the horizon.
   */
  delays: number[];
}

/** All rules on one stream. */
export interface Result {
  stream: Stream;
  outcomes: Record<RuleName, Outcome>;
}

/** A stream's sessions. Each run of each stream has a seed of its own. */
export function sessionsOf(stream: Stream, run: number, length: number): BenchSession[] {
  const seed = Number.parseInt(idOf("bench", "reported", stream.name, run).slice(0, 8), 16);
  const next = stream.start(randomOf(seed));
  return Array.from({ length }, (_, session) => next(session));
}

function count(outcome: Outcome, alerts: readonly (readonly Found[])[], { change }: Stream): void {
  const before = alerts.slice(0, change?.at ?? alerts.length);
  outcome.sessions += before.length;
  outcome.falseAlarms += before.filter((found) => found.length > 0).length;
  if (change === undefined) return;
  const at = alerts
    .slice(change.at, change.at + HORIZON)
    .findIndex((found) =>
      found.some(
        ({ metric, direction }) =>
          metric === change.metric && (change.direction === undefined || change.direction === direction),
      ),
    );
  outcome.delays.push(at === -1 ? Number.POSITIVE_INFINITY : at + 1);
}

/**
 * Runs rules over the same sessions.
 *
 * @param size.length sessions of a stream in which nothing changes
 */
export function measure(stream: Stream, size: { runs: number; length: number }): Result {
  const names = Object.keys(RULES) as RuleName[];
  const outcomes = Object.fromEntries(
    names.map((name) => [name, { sessions: 0, falseAlarms: 0, delays: [] }]),
  ) as unknown as Record<RuleName, Outcome>;
  for (let run = 0; run < size.runs; run += 1) {
    const sessions = sessionsOf(
      stream,
      run,
      stream.change === undefined ? size.length : stream.change.at + HORIZON,
    );
    for (const name of names) count(outcomes[name], RULES[name](sessions), stream);
  }
  return { stream, outcomes };
}
