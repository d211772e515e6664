import type { JudgementMade, JudgeScore, RewardStatistics, StepReward } from "../schemas/generated/events.ts";
import type { Rubric } from "../schemas/rules.ts";
import { mean, round12, stddev } from "../statistics/numbers.ts";

/** What the aggregation needs to know of a judgement. */
export type Judgement = Pick<
  JudgementMade,
  "judge" | "scope" | "step_id" | "stage" | "score" | "uncertainty"
>;

/** What a session's judgements come to under a rubric. */
export interface Aggregate {
  /** 0 to 1; undefined where no judge with a weight gave a judgement of the session: absent, never 0. */
  score: number | undefined;
  statistics: RewardStatistics | undefined;
  judges: JudgeScore[];
  steps: StepReward[];
  /** How many judges, of the session or of a step, were settled by arbitration. */
  escalations: number;
}

/**
 * Puts judgements together as the rubric says. Sums run in the order given, judges stand in the order of their
 * first judgement, steps in the order of their ids. Scores that are not finite numbers count as not given.
 *
 * @example
 * aggregate([{ judge: "process", scope: "session", stage: "sample", score: 0.8 }], rubric).score; // 0.8
 */
export function aggregate(judgements: readonly Judgement[], rubric: Rubric): Aggregate {
  const valid = judgements.filter(({ score }) => Number.isFinite(score));
  const ofSession = valid.filter(({ scope }) => scope !== "step");
  const judges = judgeScores(ofSession, rubric);
  const steps = stepRewards(
    valid.filter(({ scope }) => scope === "step"),
    rubric,
  );
  const weighty = new Set(judges.filter(({ weight }) => weight > 0).map(({ judge }) => judge));
  return {
    score: scoreOf(judges, rubric),
    statistics: statisticsOf(
      ofSession.filter(({ judge }) => weighty.has(judge)),
      rubric,
    ),
    judges,
    steps,
    escalations: [judges, ...steps.map((step) => step.judges)].flat().filter((judge) => judge.escalated)
      .length,
  };
}

/** Judgements in groups, in the order of each group's first one. */
function groupBy<K>(
  judgements: readonly Judgement[],
  keyOf: (judgement: Judgement) => K,
): [K, Judgement[]][] {
  const groups = new Map<K, Judgement[]>();
  for (const judgement of judgements) {
    const key = keyOf(judgement);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [judgement]);
    else group.push(judgement);
  }
  return [...groups];
}

/**
 * A judge's score is the arbitration's where there is one, else the mean of its samples. Its uncertainty is that of
 * the samples in either case: what was contested must not look certain.
 */
const lesser = (one: number, other: number): number => Math.min(one, other);

function judgeScores(judgements: readonly Judgement[], rubric: Rubric): JudgeScore[] {
  return groupBy(judgements, ({ judge }) => judge).flatMap(([judge, given]) => {
    const arbitrations = given.filter(isArbitration);
    const samples = countedOf(given, rubric);
    if (samples.length === 0) return [];
    const decisive = arbitrations.length > 0 ? arbitrations : samples;
    const uncertainties = uncertaintiesOf(samples);
    const known = uncertainties.length > 0;
    return {
      judge,
      score: round12(mean(decisive.map(({ score }) => score))),
      weight: weightOf(judge, rubric),
      samples: samples.length,
      uncertainty: known ? round12(mean(uncertainties)) : null,
      escalated: arbitrations.length > 0,
      stddev: round12(stddev(samples.map(({ score }) => score))),
      best_uncertainty: known ? round12(uncertainties.reduce(lesser)) : null,
    };
  });
}

function stepRewards(judgements: readonly Judgement[], rubric: Rubric): StepReward[] {
  const steps: StepReward[] = [];
  for (const [step_id, given] of groupBy(judgements, ({ step_id }) => step_id)) {
    const judges = judgeScores(given, rubric);
    const score = scoreOf(judges, rubric);
    if (step_id === null || step_id === undefined || score === undefined) continue;
    const weighty = new Set(judges.filter(({ weight }) => weight > 0).map(({ judge }) => judge));
    steps.push({
      step_id,
      score,
      judges,
      statistics:
        statisticsOf(
          given.filter(({ judge }) => weighty.has(judge)),
          rubric,
        ) ?? null,
      escalations: judges.filter(({ escalated }) => escalated).length,
    });
  }
  return steps.sort((a, b) => a.step_id - b.step_id);
}

/** Computed from the rounded scores of the judges, so that whoever reads the event can check it. */
function scoreOf(judges: readonly JudgeScore[], { aggregation }: Rubric): number | undefined {
  const weighty = judges.filter(({ weight }) => weight > 0);
  if (weighty.length === 0) return undefined;
  switch (aggregation) {
    case "weighted_mean":
      return round12(weightedMean(weighty));
    case "median":
      return round12(weightedMedian(weighty));
    case "min":
      return weighty.map(({ score }) => score).reduce(lesser);
  }
}

function weightedMean(judges: readonly JudgeScore[]): number {
  let sum = 0;
  let total = 0;
  for (const { score, weight } of judges) {
    sum += score * weight;
    total += weight;
  }
  return sum / total;
}

/** The score at which half of the weight is reached; where that is between two scores, their mean. */
function weightedMedian(judges: readonly JudgeScore[]): number {
  const ascending = [...judges].sort((a, b) => a.score - b.score);
  const half = ascending.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let reached = 0;
  for (const [place, { score, weight }] of ascending.entries()) {
    reached += weight;
    if (reached > half) return score;
    if (reached === half) return (score + ascending[place + 1]!.score) / 2;
  }
  return ascending.at(-1)!.score;
}

function statisticsOf(judgements: readonly Judgement[], rubric: Rubric): RewardStatistics | undefined {
  const samples = groupBy(judgements, ({ judge }) => judge).flatMap(([, given]) => countedOf(given, rubric));
  if (samples.length === 0) return undefined;
  const scores = samples.map(({ score }) => score);
  const uncertainties = uncertaintiesOf(samples);
  const known = uncertainties.length > 0;
  return {
    score_mean: round12(mean(scores)),
    score_stddev: round12(stddev(scores)),
    sample_count: samples.length,
    uncertainty_mean: known ? round12(mean(uncertainties)) : null,
    uncertainty_stddev: known ? round12(stddev(uncertainties)) : null,
    best_uncertainty: known ? round12(uncertainties.reduce(lesser)) : null,
  };
}

const isArbitration = ({ stage }: Judgement): boolean => stage === "arbitration";

/**
 * What counts of one judge: its samples that are certain enough, if they are enough; all that it said before an
 * arbitration; the arbitration itself where nothing else is left of it.
 */
function countedOf(given: readonly Judgement[], { thresholds }: Rubric): readonly Judgement[] {
  const samples = given.filter((judgement) => !isArbitration(judgement));
  if (samples.length < given.length) return samples.length > 0 ? samples : given;
  const certain = samples.filter(({ uncertainty }) => !((uncertainty ?? 0) > thresholds.max_uncertainty));
  return certain.length < thresholds.min_samples ? [] : certain;
}

const uncertaintiesOf = (judgements: readonly Judgement[]): number[] =>
  judgements.flatMap(({ uncertainty }) =>
    uncertainty !== null && uncertainty !== undefined && Number.isFinite(uncertainty) ? [uncertainty] : [],
  );

/** A judge that the rubric does not name has weight 1; one of weight 0 is listed but counts for nothing. */
const weightOf = (judge: string, { weights }: Rubric): number =>
  Object.hasOwn(weights, judge) ? weights[judge]! : 1;
