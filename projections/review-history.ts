import type { Micros, ReviewDecided, ReviewStatusChanged, Uuid } from "../schemas/generated/events.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";
import type { SessionTrace } from "../traces/session-trace.ts";

/** Who or what said something about a session's review. */
export interface ReviewVoice {
  because: "person" | "rule";
  /** Null for a rule. */
  author: string | null;
  /** The event that it was said by: a decision, or the drift assessment that a rule went by. */
  eventId: Uuid;
}

/** One step in the history of a session's review. */
export interface ReviewEntry extends ReviewVoice {
  at: Micros;
  from: ReviewStatus;
  to: ReviewStatus;
  note: string | null;
  /** What a person saw when they decided; null for a rule. */
  sawStatus: string | null;
  /** Who or what was overridden; null where nobody had said anything. */
  overrode: (ReviewVoice & { said: ReviewStatus }) | null;
  /** What it says holds now. */
  stands: boolean;
}

/** A decision that changed nothing, because one that was made later stands. */
export interface OverruledDecision {
  at: Micros;
  author: string;
  decision: ReviewStatus;
  note: string | null;
  eventId: Uuid;
  /** Whose word stood already. */
  by: string | null;
}

/** The review of a session from its beginning. */
export interface ReviewHistory {
  sessionId: Uuid;
  status: ReviewStatus;
  /** In order; the last one stands. */
  changes: ReviewEntry[];
  overruled: OverruledDecision[];
}

const voiceOf = (change: ReviewStatusChanged): ReviewVoice => ({
  because: change.because as ReviewVoice["because"],
  author: change.author ?? null,
  eventId: change.meta.causation_id ?? "",
});

function overruledOf(decision: ReviewDecided, standing: ReviewStatusChanged | undefined): OverruledDecision {
  return {
    at: decision.meta.occurred_at,
    author: decision.author,
    decision: decision.decision as ReviewStatus,
    note: decision.note ?? null,
    eventId: decision.meta.event_id,
    by: standing?.author ?? null,
  };
}

/**
 * How a session's review status came to be: who or what said which status, because of which event, and what it
 * overrode.
 *
 * @param trace with what other topics say of the session
 * @example
 * const { changes } = reviewHistory(trace);
 * console.log(changes.at(-1)?.author);
 */
export function reviewHistory(trace: SessionTrace): ReviewHistory {
  const decisions = new Map(trace.decisions.map((decision) => [decision.meta.event_id, decision]));
  // A revision takes the place of what was said because of the same event.
  const latest = new Map(trace.review_changes.map((change) => [change.meta.causation_id, change]));
  const standing = trace.review_changes.at(-1);
  const changes = [...latest.values()].map((change): ReviewEntry => {
    const voice = voiceOf(change);
    const before = latest.get(change.overrode ?? "");
    const overridden = decisions.get(change.overrode ?? "");
    return {
      ...voice,
      at: change.meta.occurred_at,
      from: change.from_status as ReviewStatus,
      to: change.to_status as ReviewStatus,
      note: change.note ?? null,
      sawStatus: decisions.get(voice.eventId)?.on_status ?? null,
      overrode:
        change.overrode == null
          ? null
          : {
              because: overridden === undefined ? "rule" : "person",
              author: overridden?.author ?? null,
              eventId: change.overrode,
              said: (before?.to_status ?? change.from_status) as ReviewStatus,
            },
      stands: change === standing,
    };
  });
  return {
    sessionId: trace.session_id,
    status: trace.review_status,
    changes,
    overruled: trace.decisions
      .filter(({ meta }) => !latest.has(meta.event_id))
      .map((decision) => overruledOf(decision, standing)),
  };
}
