import { aggregate, type Judgement } from "../processors/aggregate-judgements.ts";
import type { AtlasEvent, JudgeScore, RewardStatistics, StepReward } from "../schemas/generated/events.ts";
import { completeRules, type Rubric } from "../schemas/rules.ts";
import type { SessionTrace } from "../traces/session-trace.ts";
import { fromTrajectoryEvent, type TrajectoryEvent } from "../traces/trajectory-event.ts";

/** What judgements of a session come to: the same numbers as in its `SessionRewarded`. */
export interface TraceScore {
  /** 0 to 1; null where no judge that counts gave a valid judgement. Null is no 0. */
  score: number | null;
  /** Mean of what the samples said of themselves, 0 to 1; null where none said any. */
  uncertainty: number | null;
  statistics: RewardStatistics | null;
  judges: JudgeScore[];
  steps: StepReward[];
  /** How many judges, of the session or of a step, were settled by arbitration. */
  escalations: number;
  /** Judges without a valid judgement: by name of the session, as `name#step` of a step. */
  missing: string[];
}

/** What judgements come to under a rubric. */
export function scoreOf(
  judgements: readonly Judgement[],
  missing: readonly string[],
  rubric: Rubric,
): TraceScore {
  const { score, statistics, judges, steps, escalations } = aggregate(judgements, rubric);
  return {
    score: score ?? null,
    uncertainty: statistics?.uncertainty_mean ?? null,
    statistics: statistics ?? null,
    judges,
    steps,
    escalations,
    missing: [...missing],
  };
}

/** A session whose judgements can be read off: a trace, what `getTrainingSessions` gives with its events, or a line. */
export type JudgedTrace =
  | Pick<SessionTrace, "judgements" | "judged">
  | { readonly trajectoryEvents?: readonly AtlasEvent[] }
  | { readonly trajectory_events: readonly { readonly event: TrajectoryEvent }[] };

const CLOSING_SET = ["JudgementMade", "SessionJudged"];

/** The ids of a line's events tell them apart; which session they are of does not matter here. */
function eventsOf(trace: JudgedTrace): readonly AtlasEvent[] {
  if ("trajectory_events" in trace)
    return trace.trajectory_events
      .filter(({ event }) => CLOSING_SET.includes(event.payload.metadata.event))
      .map(({ event }) => fromTrajectoryEvent(event, ""));
  if ("trajectoryEvents" in trace && trace.trajectoryEvents !== undefined) return trace.trajectoryEvents;
  throw new TypeError("the trace holds no events: read it with its trajectory events");
}

function setOf(trace: JudgedTrace): Pick<SessionTrace, "judgements" | "judged"> {
  if ("judgements" in trace) return trace;
  const events = eventsOf(trace);
  return {
    judgements: events.filter((event) => event.type === "JudgementMade"),
    judged: events.find((event) => event.type === "SessionJudged") ?? null,
  };
}

/**
 * Scores a session from the judgements that its trace holds, under a rubric. No model is asked. A judgement that
 * `SessionJudged` names and the trace lacks leaves it without a score.
 *
 * @param trace what `getTrainingSessions` gives, with its events, or a parsed line of a training file
 * @param rubric what it does not say is as in the default rules
 * @throws TypeError when the trace holds no events
 * @example
 * const { score } = scoreTrace(JSON.parse(line), { weights: { process: 2 }, aggregation: "median" });
 */
export function scoreTrace(trace: JudgedTrace, rubric: Partial<Rubric> = {}): TraceScore {
  const whole = completeRules({ rubric }).rubric;
  const { judgements, judged } = setOf(trace);
  if (judged === null) return scoreOf(judgements, [], whole);
  const byId = new Map(judgements.map((judgement) => [judgement.meta.event_id, judgement]));
  const named = judged.judgements.map((id) => byId.get(id)).filter((judgement) => judgement !== undefined);
  return scoreOf(named.length < judged.judgements.length ? [] : named, judged.missing, whole);
}
