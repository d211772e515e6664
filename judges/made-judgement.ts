import type { Draft, JudgementMade, Uuid } from "../schemas/generated/events.ts";

/** A judgement that was recorded. */
export interface Judgement
  extends Pick<
    JudgementMade,
    "judge" | "scope" | "step_id" | "stage" | "score" | "uncertainty" | "rationale"
  > {
  /** Id of the event that holds it. */
  eventId: Uuid;
}

/** What a judge is asked about. */
export interface JudgedPlace {
  scope: "session" | "step";
  step_id: number | null;
}

/** What came of asking one judge about one place. */
export interface JudgeOutcome extends JudgedPlace {
  judge: string;
  /** In the order of the samples; the arbitration comes last. */
  judgements: Judgement[];
  /** A model was not reached that may be reached later. */
  outage: boolean;
}

/** The judgement that a draft was recorded as. */
export function judgementOf(eventId: Uuid, draft: Draft<"JudgementMade">): Judgement {
  const {
    judge,
    scope = "session",
    step_id = null,
    stage,
    score,
    uncertainty = null,
    rationale = null,
  } = draft;
  return { eventId, judge, scope, step_id, stage, score, uncertainty, rationale };
}
