import type {
  AtlasEvent,
  ContentContinued,
  Derivation,
  DriftAssessed,
  JsonText,
  JudgementFailed,
  JudgementMade,
  Micros,
  Plan,
  PlaybookUsed,
  ReviewDecided,
  ReviewStatusChanged,
  SessionEnded,
  SessionErased,
  SessionJudged,
  SessionRewarded,
  SessionStarted,
  TokenUsage,
  Uuid,
} from "../schemas/generated/events.ts";

/** Where a session stands; `unknown` until its `SessionStarted` is seen. */
export type TraceStatus = "unknown" | "running" | "succeeded" | "failed" | "cancelled" | "abandoned";

/** What the teacher said of an attempt. */
export interface TraceValidation {
  /** valid, invalid or none. */
  verdict: string;
  reason: string | null;
  cached: boolean;
  duration_us: number | null;
}

/** One attempt at a step. */
export interface TraceAttempt {
  attempt: number;
  /** Notes that the student was given for it. */
  guidance: string[];
  context: JsonText | null;
  /** running, completed, failed or cancelled. */
  status: string;
  output: string | null;
  deliverable: JsonText | null;
  artifacts: JsonText | null;
  error: string | null;
  usage: TokenUsage | null;
  duration_us: number | null;
  validation: TraceValidation | null;
}

/** One step that ran, or was skipped. */
export interface TraceStep {
  step_id: number;
  description: string;
  tool: string | null;
  tool_params: JsonText | null;
  depends_on: number[];
  /** False for a step that was only skipped. */
  ran: boolean;
  /** running, succeeded, failed, cancelled or skipped. */
  status: string;
  started_at: Micros | null;
  ended_at: Micros | null;
  output: string | null;
  trace: string | null;
  deliverable: JsonText | null;
  artifacts: JsonText | null;
  reason: string | null;
  metadata: JsonText | null;
  /** How many attempts it took, as its end says; those seen so far before that. */
  attempt_count: number;
  attempts: TraceAttempt[];
  /** The teacher's notes, in order. */
  guidance: string[];
}

/** A record of this session that some consumer could not apply. */
export interface TraceDeadLetter {
  group: string;
  topic: string;
  partition: number;
  offset: number;
  error_code: string;
  error: string;
}

/** The lanes that a session was put into, in order; the last one holds. */
export interface TraceLane {
  lane: string;
  reason: string;
  confidence: number | null;
  probe: JsonText | null;
}

/** What a session's own events say. */
export interface SessionView {
  started: SessionStarted | null;
  status: TraceStatus;
  /** Time of `SessionStarted`. */
  created_at: Micros | null;
  /** Time of `SessionEnded` or `SessionAbandoned`. */
  completed_at: Micros | null;
  ended: SessionEnded | null;
  final_answer: string | null;
  error: string | null;
  usage: TokenUsage | null;
  cost: number | null;
  duration_us: number | null;
  triage: { adapter: string; dossier: JsonText } | null;
  lanes: TraceLane[];
  /** The plan that runs: the reviewed one, or the proposed one where nobody reviewed it. */
  plan: Plan | null;
  plan_concerns: string[];
  /** By step id. */
  steps: TraceStep[];
  judgements: JudgementMade[];
  judgement_failures: JudgementFailed[];
  judged: SessionJudged | null;
  /** True where a model, of the student, the teacher or a judge, was simulated. */
  simulated: boolean;
  /** True where some time of a recorded run is assumed. */
  time_assumed: boolean;
}

/** What was said of a session elsewhere than on its own topic. */
export interface SessionFacts {
  reward: SessionRewarded | null;
  drift: DriftAssessed | null;
  review_status: "pending" | "approved" | "quarantined";
  review_notes: string | null;
  /** In order; the last one holds. */
  review_changes: ReviewStatusChanged[];
  /** By time. */
  decisions: ReviewDecided[];
  playbooks_used: PlaybookUsed[];
  erased: SessionErased | null;
  dead_letters: TraceDeadLetter[];
  /** Places of records that were set aside and applied later. */
  retried: string[];
  /** What computed the reward, the drift and the review status that hold. */
  derivations: Derivation[];
}

/**
 * Everything that is known of one session, folded from its events. Texts outside `events` are well-formed Unicode
 * without NUL, which Postgres could not hold; `events` are as the log has them, with continued contents joined.
 */
export interface SessionTrace extends SessionView, SessionFacts {
  session_id: Uuid;
  /** Something of the session is missing. */
  incomplete: boolean;
  /** What is missing, in words. */
  incomplete_reasons: string[];
  /** The session's own events in order, each once. */
  events: AtlasEvent[];
  /** How many events of the session's topic were taken, joined ones included. */
  event_count: number;
  /** Sequences seen of the session's own source, as ranges. */
  sequences: [first: number, last: number][];
  /** How many continuing events each event was joined from; absent for none. */
  continued: Map<Uuid, number>;
  /** Continued contents that are not whole yet. */
  pending: ContentContinued[];
}
