import type { AtlasEvent } from "./generated/events.ts";

/** Every review status. */
export const REVIEW_STATUSES = ["pending", "approved", "quarantined"] as const;
const ENDED = ["succeeded", "failed", "cancelled"] as const;
/** Every status of a session: how it ended, or that it has not. */
export const SESSION_STATUSES = [...ENDED, "running", "abandoned"] as const;
const SCOPES = ["session", "step"] as const;
const ROLES = ["student", "teacher", "judge", "probe", "learning"] as const;
const AUDIENCES = ["student", "teacher"] as const;
const STAGES = ["sample", "arbitration", "recorded", "function"] as const;

/** A session's review status. */
export type ReviewStatus = (typeof REVIEW_STATUSES)[number];
/** How a session ended. */
export type SessionStatus = (typeof ENDED)[number];
/** On whose behalf a model was called. */
export type ModelRole = (typeof ROLES)[number];

/** Fields whose strings come from a fixed list; Avro enums could never be widened for old readers. */
export const VOCABULARIES: Record<string, Record<string, readonly string[]>> = {
  SessionStarted: {
    origin: ["run", "import", "migration"],
    judging: ["deferred"],
    tools_source: ["declared", "observed"],
  },
  LaneSelected: { lane: ["auto", "paired", "coach"] },
  ModelCallStarted: { role: ROLES },
  ModelCallEnded: { role: ROLES },
  AttemptEnded: { status: ["completed", "failed", "cancelled"] },
  StepValidated: { verdict: ["valid", "invalid", "none"] },
  StepEnded: { status: ENDED },
  JudgementMade: { scope: SCOPES, stage: STAGES },
  JudgementFailed: { scope: SCOPES, stage: STAGES },
  SessionEnded: { status: ENDED },
  ReviewDecided: { decision: ["approved", "quarantined"], on_status: REVIEW_STATUSES },
  AnswerCorrected: { target: ["answer", "plan"] },
  LessonProposed: {
    audience: AUDIENCES,
    operation: ["add", "refine", "retire", "merge", "revert"],
  },
  LessonDecided: { decision: ["approve", "pin", "ban", "retire"] },
  LessonAssessed: { status: ["proposed", "trial", "active", "retired", "quarantined"] },
  PlaybookRevised: { audience: AUDIENCES },
  PlaybookUsed: { audience: AUDIENCES },
  EvalPlanned: { kind: ["learning", "runtime", "reward", "probe"] },
  EvalConcluded: { status: ["completed", "stopped", "failed"] },
  SessionConcluded: { status: [...ENDED, "abandoned"] },
  ReviewStatusChanged: {
    from_status: REVIEW_STATUSES,
    to_status: REVIEW_STATUSES,
    because: ["person", "rule"],
  },
};

/** The first field of an event whose value is not in its vocabulary, in words; undefined when all are. */
export function vocabularyProblem(event: AtlasEvent): string | undefined {
  const fields = VOCABULARIES[event.type];
  if (fields === undefined) return undefined;
  const values = event as unknown as Record<string, unknown>;
  for (const [field, allowed] of Object.entries(fields)) {
    const value = values[field];
    if (value === null || value === undefined || allowed.includes(value as string)) continue;
    return `${field} is ${JSON.stringify(value)}, not one of ${allowed.join(", ")}`;
  }
  return undefined;
}
