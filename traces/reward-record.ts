import type {
  DriftAssessed,
  DriftBaseline,
  JsonText,
  JudgementMade,
  JudgeScore,
  SessionRewarded,
} from "../schemas/generated/events.ts";
import { isoOf } from "../schemas/identity.ts";
import { isObject, jsonValue } from "./clean-text.ts";

/** What a judge went by. */
export interface PrincipleRecord {
  name: string;
  weight: number | null;
  description: string;
}

/** One judgement behind a judge's score. */
export interface SampleRecord {
  score: number;
  rationale: string | null;
  principles: PrincipleRecord[];
  uncertainty: number | null;
  temperature: number | null;
}

/** What one judge's judgements come to. */
export interface JudgeRecord {
  identifier: string;
  score: number;
  rationale: string | null;
  principles: PrincipleRecord[];
  samples: SampleRecord[];
  escalated: boolean;
  escalation_reason: string | null;
}

/** A reward, of a session or a step. */
export interface RewardRecord {
  score: number;
  rationale: string | null;
  judges: JudgeRecord[];
  /** `session` where a step has the reward of its session because nobody judged the step itself. */
  raw: { scope: "session" | "step"; value: JsonText };
}

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);

function principleOf(value: unknown): PrincipleRecord {
  if (!isObject(value)) return { name: "", weight: null, description: text(value) };
  const weight = typeof value.weight === "number" ? value.weight : null;
  return { name: text(value.name), weight, description: text(value.description) };
}

function principlesOf(json: JsonText | null | undefined): PrincipleRecord[] {
  const value = jsonValue(json);
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map(principleOf) : [principleOf(value)];
}

const sampleOf = ({
  score,
  rationale,
  principles,
  uncertainty,
  temperature,
}: JudgementMade): SampleRecord => ({
  score,
  rationale: rationale ?? null,
  principles: principlesOf(principles),
  uncertainty: uncertainty ?? null,
  temperature: temperature ?? null,
});

/** An arbitration speaks for its judge; else the judgement that was most certain of itself. */
function spokesman(judgements: readonly JudgementMade[]): JudgementMade | undefined {
  const arbitration = judgements.findLast(({ stage }) => stage === "arbitration");
  if (arbitration !== undefined) return arbitration;
  return [...judgements].sort((a, b) => (a.uncertainty ?? 1) - (b.uncertainty ?? 1))[0];
}

function judgeOf(score: JudgeScore, judgements: readonly JudgementMade[]): JudgeRecord {
  const mine = judgements.filter(({ judge }) => judge === score.judge);
  const speaks = spokesman(mine);
  return {
    identifier: score.judge,
    score: score.score,
    rationale: speaks?.rationale ?? null,
    principles: principlesOf(speaks?.principles),
    samples: mine.map(sampleOf),
    escalated: score.escalated,
    escalation_reason: null,
  };
}

const onlyRationale = (judges: readonly JudgeRecord[]): string | null =>
  judges.length === 1 ? judges[0]!.rationale : null;

/** The reward of a session with the judgements behind it. */
export function sessionReward(reward: SessionRewarded, judgements: readonly JudgementMade[]): RewardRecord {
  const named = judgements.filter(({ meta }) => reward.judgements.includes(meta.event_id));
  const ofSession = named.filter(({ scope }) => scope === "session");
  const judges = reward.judges.map((judge) => judgeOf(judge, ofSession));
  const { statistics, escalations, missing, meta } = reward;
  const basis = { statistics, judges: reward.judges, escalations, missing, derivation: meta.derivation };
  return {
    score: reward.score,
    rationale: onlyRationale(judges),
    judges,
    raw: { scope: "session", value: JSON.stringify(basis) },
  };
}

/** The reward of a step: its own where judges scored it, else that of its session. */
export function stepReward(
  stepId: number,
  reward: SessionRewarded,
  judgements: readonly JudgementMade[],
): RewardRecord {
  const own = reward.steps.find(({ step_id }) => step_id === stepId);
  if (own === undefined) return sharedReward(reward);
  const mine = judgements.filter(
    ({ meta, scope, step_id }) =>
      scope === "step" && step_id === stepId && reward.judgements.includes(meta.event_id),
  );
  const judges = own.judges.map((judge) => judgeOf(judge, mine));
  return {
    score: own.score,
    rationale: onlyRationale(judges),
    judges,
    raw: { scope: "step", value: JSON.stringify({ judges: own.judges }) },
  };
}

/** What a step that nobody judged has from its session. */
export const sharedReward = ({ score }: SessionRewarded): RewardRecord => ({
  score,
  rationale: null,
  judges: [],
  raw: { scope: "session", value: "{}" },
});

/** Spread of the judgements behind a reward. */
export function rewardStats({ score, statistics, meta }: SessionRewarded) {
  const { score_mean, score_stddev, sample_count } = statistics;
  return {
    score,
    score_mean,
    score_stddev,
    sample_count,
    uncertainty_mean: statistics.uncertainty_mean ?? null,
    uncertainty_stddev: statistics.uncertainty_stddev ?? null,
    best_uncertainty: statistics.best_uncertainty ?? null,
    timestamp: isoOf(meta.occurred_at),
  };
}

const baselineOf = (baseline: DriftBaseline | undefined) =>
  baseline === undefined
    ? null
    : {
        count: baseline.sample_count,
        mean: baseline.mean ?? null,
        median: baseline.median ?? null,
        stddev: baseline.stddev ?? null,
        mad: baseline.mad ?? null,
      };

/** A session held against those before it: score and uncertainty in points, tokens, and duration in seconds. */
export function driftRecord(drift: DriftAssessed) {
  const of = <T extends { metric: string }>(rows: readonly T[], name: string): T | undefined =>
    rows.find(({ metric }) => metric === name);
  const score = of(drift.metrics, "score");
  const uncertainty = of(drift.metrics, "uncertainty");
  const tokens = of(drift.metrics, "tokens");
  const duration = of(drift.metrics, "duration");
  return {
    alert: drift.alert,
    drift_alert: drift.alert,
    reason: drift.reason ?? null,
    direction: drift.direction ?? null,
    message: drift.message ?? null,
    score_delta: score?.delta ?? null,
    score_z: score?.z ?? null,
    score_mad_z: score?.mad_z ?? null,
    uncertainty_delta: uncertainty?.delta ?? null,
    uncertainty_z: uncertainty?.z ?? null,
    uncertainty_mad_z: uncertainty?.mad_z ?? null,
    tokens_delta: tokens?.delta ?? null,
    tokens_z: tokens?.z ?? null,
    tokens_mad_z: tokens?.mad_z ?? null,
    duration_delta: duration?.delta ?? null,
    duration_z: duration?.z ?? null,
    duration_mad_z: duration?.mad_z ?? null,
    window: drift.window,
    threshold: drift.threshold,
    baseline: {
      score: baselineOf(of(drift.baseline, "score")),
      uncertainty: baselineOf(of(drift.baseline, "uncertainty")),
      tokens: baselineOf(of(drift.baseline, "tokens")),
      duration: baselineOf(of(drift.baseline, "duration")),
    },
  };
}
