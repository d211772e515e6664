import type { DriftBaseline, DriftMetric } from "../schemas/generated/events.ts";
import type { DriftGuardrails, DriftMetricName } from "../schemas/rules.ts";
import { rankScore } from "../statistics/change-point.ts";
import { round12 } from "../statistics/numbers.ts";
import { tailLimit } from "../statistics/tails.ts";
import { type Comparison, compare, emptyBaseline, falseAlarmsOf, limitOf } from "./drift-baseline.ts";
import { kindsOf, RANKED, type Tested, testKinds, testRanks, thirdsOf } from "./drift-change.ts";
import { type Entry, inRow, type Level } from "./drift-cohort.ts";
import { type Reference, type Sample, sampleOf } from "./drift-sample.ts";
import type { Words } from "./drift-words.ts";

/** What the tests of one metric say about a session. */
export interface Finding {
  metric: DriftMetric & { metric: DriftMetricName };
  baseline: DriftBaseline;
  /** Rank score against the baseline; undefined where there was none. */
  rank?: number;
  /** Which test raised an alert. */
  alert?: "z" | "change";
  /** Above 0 where the metric rose; set with an alert. */
  change?: number;
  /** The level that the change-point test found. */
  level?: Level;
}

/**
 * Tests every metric that a session has. The false alarms that the threshold stands for are shared among all tests
 * of the session: between the z-scores and the change-point test as the guardrails say, and evenly among metrics.
 */
export function testMetrics(
  entry: Entry,
  reference: Reference,
  context: { words: Words; guardrails: DriftGuardrails },
): Finding[] {
  const { guardrails } = context;
  const least = Math.max(guardrails.min_baseline, 1);
  const samples = guardrails.metrics
    .filter((metric) => inRow(entry.values, metric) !== undefined)
    .map((metric) => ({ metric, sample: sampleOf(metric, entry, reference, context) }));
  const tested = samples.filter(({ sample }) => sample.before.length >= least).length;
  const allowed = falseAlarmsOf(guardrails.threshold) / Math.max(tested, 1);
  return samples.map(({ metric, sample }) => {
    const value = inRow(entry.values, metric)!;
    const { before, held, level } = sample;
    if (before.length === 0) {
      return {
        metric: { metric, value: round12(value), delta: null, z: null, mad_z: null },
        baseline: emptyBaseline(metric),
      };
    }
    const compared = compare(
      metric,
      value,
      before.map((each) => each.value),
      guardrails.floors[metric],
    );
    const rank =
      Math.round(
        1000 *
          rankScore(
            value,
            held.map((each) => each.value),
          ),
      ) / 1000;
    const finding: Finding = {
      metric: { metric, value: round12(value), delta: compared.delta, z: null, mad_z: null },
      baseline: { ...compared.baseline, since: level?.from[0] ?? null },
      rank,
    };
    if (before.length < least) return finding;
    const it: Tested = { metric, place: entry.place, value, rank, sample };
    const kinds = kindsOf(metric, value, sample.seen);
    const { share } = guardrails.change_point;
    if (kinds === undefined || share === 0) testPoint(finding, sample, compared, allowed * (1 - share));
    else finding.metric = { ...finding.metric, z: compared.z, mad_z: compared.mad_z };
    if (share > 0) testChange(finding, it, { allowed, kinds, guardrails });
    return finding;
  });
}

/** An alert where both z-scores pass the limit, and the value lies further out than those far out before it let expect. */
function testPoint(
  finding: Finding,
  { seen, before }: Sample,
  { z, mad_z, centre, spread }: Comparison,
  probability: number,
): void {
  const usual = limitOf(probability, before.length);
  finding.metric = { ...finding.metric, z, mad_z, limit: round12(usual) };
  if (Math.min(z, mad_z) < usual && Math.max(z, mad_z) > -usual) return;
  const distances = seen.map(({ x }) => (z < 0 ? centre - x : x - centre) / spread);
  const tail = tailLimit(
    distances.filter((distance) => distance > 0),
    seen.length,
    probability / 2,
  );
  finding.metric.limit = round12(Math.max(usual, tail));
  if (Math.abs(z) < tail) return;
  finding.alert = "z";
  finding.change = z;
}

/** An alert, and a new level, where the test for a lasting change finds one that matters. */
function testChange(
  finding: Finding,
  tested: Tested,
  {
    allowed,
    kinds,
    guardrails,
  }: { allowed: number; kinds: readonly number[] | undefined; guardrails: DriftGuardrails },
): void {
  if (tested.sample.overtaken) return;
  const { share } = guardrails.change_point;
  const { statistic, limit, from } =
    kinds !== undefined
      ? testKinds(tested, kinds, allowed, guardrails)
      : tested.sample.seen.length < RANKED
        ? testKinds(tested, thirdsOf(tested), allowed * share, guardrails)
        : testRanks(tested, allowed * share, guardrails);
  finding.metric = { ...finding.metric, change: round12(statistic), change_limit: round12(limit) };
  if (from === undefined) return;
  finding.level = { from, found: tested.place };
  finding.alert ??= "change";
  finding.change ??= statistic;
}

/** A value in the metric's own unit, short enough to be read. */
export const readable = (value: number): string => String(Number(value.toPrecision(4)));

/** What an alert says to a person. */
export function messageOf({ metric, baseline, alert }: Finding): string {
  const { metric: name, value, z, mad_z, limit, change, change_limit } = metric;
  const against = `${readable(baseline.mean ?? Number.NaN)} over ${baseline.sample_count} sessions`;
  if (alert === "z") {
    return `${name} ${readable(value)} against a mean of ${against} (z ${readable(z ?? 0)}, MAD z ${readable(mad_z ?? 0)}, limit ${readable(limit ?? 0)})`;
  }
  return `${name} has shifted ${(change ?? 0) < 0 ? "down" : "up"} from a mean of ${against} (change ${readable(change ?? 0)}, limit ${readable(change_limit ?? 0)})`;
}
