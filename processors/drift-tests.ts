import type { DriftBaseline, DriftMetric } from "../schemas/generated/events.ts";
import type { DriftGuardrails, DriftMetricName } from "../schemas/rules.ts";
import { cusum, rankScore } from "../statistics/change-point.ts";
import { cusumLimit } from "../statistics/distributions.ts";
import { mean, round12 } from "../statistics/numbers.ts";
import { compare, emptyBaseline, falseAlarmsOf, limitOf } from "./drift-baseline.ts";
import { type Cohort, type Entry, type Level, newest, precedes } from "./drift-cohort.ts";
import { scaled } from "./drift-metrics.ts";
import { type Words, wordBy } from "./drift-words.ts";

/** What this share of the sessions of late has done is news no longer. */
const NEWS_SHARE = 0.03;

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

interface Sample {
  /** Sessions of the present level before this one, without those a person has quarantined by then. */
  seen: Entry[];
  /** What the session is compared with. */
  before: Entry[];
  level: Level | undefined;
}

/** What one metric of a session is held against. */
function sampleOf(
  metric: DriftMetricName,
  { place, values }: Entry,
  { sessions, levels }: Cohort,
  words: Words,
  window: number,
): Sample {
  if (values[metric] === undefined) return { seen: [], before: [], level: undefined };
  const known = levels[metric];
  const level = known !== undefined && !precedes(place, known.from) ? known : undefined;
  const seen: Entry[] = [];
  const before: Entry[] = [];
  for (const entry of sessions) {
    if (!precedes(entry.place, place)) break;
    if (entry.values[metric] === undefined) continue;
    if (level !== undefined && precedes(entry.place, level.from)) continue;
    const word = wordBy(words, entry.place[1], place[0]);
    if (word?.approved === false) continue;
    seen.push(entry);
    const settled = level !== undefined && !precedes(level.found, entry.place);
    if (!entry.alert || settled || word?.approved === true) before.push(entry);
  }
  return { seen: newest(seen, 2 * window), before: newest(before, window), level };
}

/**
 * Tests every metric that a session has. The false alarms that the threshold stands for are shared among all tests
 * of the session: between the z-scores and the change-point test as the guardrails say, and evenly among metrics.
 */
export function testMetrics(
  entry: Entry,
  cohort: Cohort,
  words: Words,
  guardrails: DriftGuardrails,
): Finding[] {
  const least = Math.max(guardrails.min_baseline, 1);
  const samples = guardrails.metrics
    .filter((metric) => entry.values[metric] !== undefined)
    .map((metric) => ({ metric, sample: sampleOf(metric, entry, cohort, words, guardrails.window) }));
  const tested = samples.filter(({ sample }) => sample.before.length >= least).length;
  const allowed = falseAlarmsOf(guardrails.threshold) / Math.max(tested, 1);
  return samples.map(({ metric, sample }) => {
    const value = entry.values[metric]!;
    const { before, level } = sample;
    if (before.length === 0) {
      return {
        metric: { metric, value: round12(value), delta: null, z: null, mad_z: null },
        baseline: emptyBaseline(metric),
      };
    }
    const held = before.map((each) => each.values[metric]!);
    const compared = compare(metric, value, held, guardrails.floors[metric]);
    const baseline = { ...compared.baseline, since: level?.from[0] ?? null };
    const finding: Finding = {
      metric: { metric, value: round12(value), delta: compared.delta, z: null, mad_z: null },
      baseline,
    };
    finding.rank = rankScore(value, held);
    if (before.length < least) return finding;
    testPoint(finding, sample, compared, allowed * (1 - guardrails.change_point.share));
    testChange(finding, entry, cohort, sample, allowed, guardrails);
    return finding;
  });
}

/** An alert where both z-scores pass the limit, unless sessions as far out have become usual. */
function testPoint(
  finding: Finding,
  { seen, before }: Sample,
  { z, mad_z, centre, spread }: ReturnType<typeof compare>,
  probability: number,
): void {
  const limit = round12(limitOf(probability, before.length));
  const name = finding.metric.metric;
  finding.metric = { ...finding.metric, z, mad_z, limit };
  if (Math.min(z, mad_z) < limit && Math.max(z, mad_z) > -limit) return;
  const far = Math.max(0.75 * limit, Math.abs(z) / 2);
  const likewise = seen.filter(({ values }) => {
    const other = (scaled(name, values[name]!) - centre) / spread;
    return z < 0 ? other <= -far : other >= far;
  });
  if (likewise.length > 0 && likewise.length >= NEWS_SHARE * seen.length) return;
  finding.alert = "z";
  finding.change = z;
}

/** An alert, and a new level, where rank scores add up further than chance takes them and the shift matters. */
function testChange(
  finding: Finding,
  { place }: Entry,
  { levels }: Cohort,
  { seen, before, level }: Sample,
  allowed: number,
  { change_point: { slack, share }, floors }: DriftGuardrails,
): void {
  const name = finding.metric.metric;
  const overtaken = levels[name] !== undefined && (level === undefined || !precedes(level.found, place));
  if (share === 0 || overtaken) return;
  const summed = seen.filter(
    (entry) => entry.ranks[name] !== undefined && (level === undefined || precedes(level.found, entry.place)),
  );
  const { statistic, onset } = cusum([...summed.map(({ ranks }) => ranks[name]!), finding.rank!], slack);
  const limit = round12(cusumLimit((allowed * share) / 2, slack));
  finding.metric = { ...finding.metric, change: statistic, change_limit: limit };
  const from = summed[onset]?.place ?? place;
  if (Math.abs(statistic) <= limit) return;
  const old = before.filter((entry) => precedes(entry.place, from));
  const now = [...summed.slice(onset).map(({ values }) => values[name]!), finding.metric.value];
  const shift =
    mean(now.map((each) => scaled(name, each))) -
    mean((old.length > 0 ? old : before).map(({ values }) => scaled(name, values[name]!)));
  if (Math.abs(shift) < floors[name] || shift > 0 !== statistic > 0) return;
  finding.level = { from, found: place };
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
