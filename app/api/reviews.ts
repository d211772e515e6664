import { reviewer } from "../../configs/reviewer.ts";
import type { EventLog } from "../../log/event-log.ts";
import { resolveSessionId } from "../../projections/resolve-session-id.ts";
import { type ReviewHistory, type ReviewVoice, reviewHistory } from "../../projections/review-history.ts";
import { WHATEVER } from "../../projections/session-filters.ts";
import { sessionKeys } from "../../projections/session-keys.ts";
import {
  listSessions,
  type SessionSummary,
  type SummaryFilters,
} from "../../projections/session-summaries.ts";
import { streamTraces } from "../../projections/training-data.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { Micros, ReviewDecided, Uuid } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { type Masked, withLogged } from "../../schemas/masked.ts";
import type { ReviewStatus } from "../../schemas/vocabulary.ts";
import type { Interruptible, OpenParts } from "./open-parts.ts";
import { type ClockOff, decisionClock } from "./review-clock.ts";
import type { Sessions } from "./sessions.ts";

/** A person's word on sessions. */
export interface DecisionOptions extends Interruptible {
  /** Why; kept with the decision. */
  note?: string | undefined;
  /** Who decides: `ATLAS_REVIEWER`, else the user of the system, unless told. */
  author?: string | undefined;
}

/** Sessions by their ids, each a UUID, an unambiguous prefix of it, or the integer; or all that pass filters. */
export type Decided = string | readonly string[] | SummaryFilters;

/** Which sessions a decision on all is about. */
export type DecisionFilters = Omit<SummaryFilters, "limit" | "offset">;

/** A decision on all, and what is told of it. */
export interface AllDecisionOptions extends DecisionOptions {
  /** Called with the sessions of each part, as {@link Reviews.approve} gives them. */
  onDecided?: ((sessions: readonly DecidedSession[]) => void) | undefined;
}

/** A session after somebody decided on it. */
export interface DecidedSession extends SessionSummary {
  /** Whose word it overrode; null where nobody had said anything. */
  overrode: (ReviewVoice & { said: ReviewStatus }) | null;
  /** Who had the last word already, where this decision changed nothing. */
  overruledBy: string | null;
  /** Set where this computer's clock cannot be right, or that of whoever decided before. */
  clockOff: ClockOff | null;
}

/** The review of sessions: which may be trained on. */
export interface Reviews {
  /**
   * Lets sessions into training sets. All ids are found before anything is decided.
   *
   * @returns the sessions as they are now, with whom the decision overrode
   * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS, ATLAS_CONSUMER_BEHIND
   * @example
   * await atlas.reviews.approve(["0199a1b2", "17"], { note: "checked against the ticket" });
   */
  approve(sessions: Decided, options?: DecisionOptions): Promise<DecidedSession[]>;
  /**
   * Keeps sessions out of training sets, as {@link Reviews.approve} lets them in.
   *
   * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS, ATLAS_CONSUMER_BEHIND
   * @example
   * await atlas.reviews.quarantine({ reviewStatusFilters: ["pending"], driftAlert: true, limit: null });
   */
  quarantine(sessions: Decided, options?: DecisionOptions): Promise<DecidedSession[]>;
  /**
   * Lets all sessions that pass filters into training sets, however many there are, in bounded memory: a few hundred at a
   * time, newest first.
   *
   * @returns how many they were
   * @throws AtlasError ATLAS_CONSUMER_BEHIND
   * @example
   * await atlas.reviews.approveAll({ reviewStatusFilters: ["pending"] }, { note: "the whole import" });
   */
  approveAll(filters: DecisionFilters, options?: AllDecisionOptions): Promise<number>;
  /**
   * Keeps all sessions that pass filters out of training sets, as {@link Reviews.approveAll} lets them in.
   *
   * @throws AtlasError ATLAS_CONSUMER_BEHIND
   * @example
   * await atlas.reviews.quarantineAll({ driftAlert: true });
   */
  quarantineAll(filters: DecisionFilters, options?: AllDecisionOptions): Promise<number>;
  /**
   * How a session's review status came to be: every word on it, by whom, and what it overrode.
   *
   * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS
   * @example
   * const { changes } = await atlas.reviews.history("0199a1b2");
   */
  history(id: string): Promise<ReviewHistory>;
}

type Decision = "approved" | "quarantined";

/** Sessions that are decided on at a time. */
const PART = 500;

/** A session as the person who decides sees it. */
export interface ReviewedSession extends Pick<SessionSummary, "sessionId" | "learningKey" | "reviewStatus"> {
  /** The time of the decision; now unless told. */
  decidedAt?: Micros;
}

/**
 * Decisions on sessions, as events of one reviewer in one sitting, for the log that holds the sessions.
 *
 * @throws AtlasError ATLAS_MASK_FAILED
 */
export function decisionsOn(
  log: Pick<EventLog, "mask">,
  sessions: readonly ReviewedSession[],
  decision: Decision,
  { author = reviewer(), note }: DecisionOptions,
): Masked<ReviewDecided>[] {
  // One source for one sitting of a reviewer.
  const source = `review/${newId()}`;
  return sessions.map(({ sessionId, learningKey: learning_key, reviewStatus, decidedAt }, index) => {
    const decided = createEvent(
      "ReviewDecided",
      {
        event_id: newId(),
        session_id: sessionId,
        source,
        sequence: index + 1,
        occurred_at: decidedAt ?? nowMicros(),
        time_assumed: false,
      },
      { learning_key, decision, author, note: note ?? null, on_status: reviewStatus },
    );
    return withLogged(log.mask(decided), { learning_key });
  });
}

type Outcome = Pick<DecidedSession, "overrode" | "overruledBy">;

/** {@link Reviews} of these parts. */
export function reviewsOf({ log, db, settled }: OpenParts, sessions: Pick<Sessions, "get">): Reviews {
  const chosen = async (which: Decided): Promise<SessionSummary[]> => {
    if (typeof which !== "string" && !Array.isArray(which))
      return listSessions(db, { limit: null, ...(which as SummaryFilters) });
    const ids = new Set<Uuid>();
    for (const id of [which].flat() as string[]) ids.add(await resolveSessionId(db, id));
    return listSessions(db, { sessionIds: [...ids], limit: null });
  };

  const outcomesOf = async (
    sessionIds: readonly Uuid[],
    made: ReadonlySet<Uuid>,
  ): Promise<Map<Uuid, Outcome>> => {
    const outcomes = new Map<Uuid, Outcome>();
    for await (const trace of streamTraces(db, { sessionIds, ...WHATEVER })) {
      const { changes, overruled } = reviewHistory(trace);
      outcomes.set(trace.session_id, {
        overrode: changes.find(({ eventId }) => made.has(eventId))?.overrode ?? null,
        overruledBy: overruled.find(({ eventId }) => made.has(eventId))?.by ?? null,
      });
    }
    return outcomes;
  };

  /** Decides on sessions that are known, and waits until that shows. */
  const decideOn = async (
    before: readonly SessionSummary[],
    decision: Decision,
    options: DecisionOptions,
  ): Promise<DecidedSession[]> => {
    if (before.length === 0) return [];
    const sessionIds = before.map(({ sessionId }) => sessionId);
    const clock = await decisionClock(db, sessionIds);
    const reviewed = before.map((each) => ({ ...each, decidedAt: clock.timeOf(each.sessionId) }));
    const decisions = decisionsOn(log, reviewed, decision, options);
    await log.append(decisions);
    await settled({ signal: options.signal });
    const outcomes = await outcomesOf(sessionIds, new Set(decisions.map(({ meta }) => meta.event_id)));
    return (await listSessions(db, { sessionIds, limit: null })).map((session) => ({
      ...session,
      ...(outcomes.get(session.sessionId) ?? { overrode: null, overruledBy: null }),
      clockOff: clock.offOf(session),
    }));
  };

  const decide =
    (decision: Decision): Reviews["approve"] =>
    async (which, options = {}) => {
      await settled({ signal: options.signal });
      return decideOn(await chosen(which), decision, options);
    };

  const decideAll =
    (decision: Decision): Reviews["approveAll"] =>
    async (filters, options = {}) => {
      await settled({ signal: options.signal });
      const { reviewStatusFilters = "all", simulated = "all" } = filters;
      let count = 0;
      const limits = { items: PART, size: Number.POSITIVE_INFINITY };
      for await (const keys of sessionKeys(db, { ...filters, reviewStatusFilters, simulated }, limits)) {
        const sessionIds = keys.map(({ sessionId }) => sessionId);
        const decided = await decideOn(
          await listSessions(db, { sessionIds, limit: null }),
          decision,
          options,
        );
        options.onDecided?.(decided);
        count += decided.length;
      }
      return count;
    };

  return {
    approve: decide("approved"),
    quarantine: decide("quarantined"),
    approveAll: decideAll("approved"),
    quarantineAll: decideAll("quarantined"),
    history: async (id) => reviewHistory(await sessions.get(id)),
  };
}
