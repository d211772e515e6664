import { reviewer } from "../configs/reviewer.ts";
import type { Queryable } from "../database/database.ts";
import { AtlasError, isAtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { findErasure } from "../projections/erasures.ts";
import { resolveSessionId } from "../projections/resolve-session-id.ts";
import { listSessions, type SessionSummary } from "../projections/session-summaries.ts";
import { createEvent } from "../schemas/codec.ts";
import type { SessionErased, Uuid } from "../schemas/generated/events.ts";
import { newId, nowMicros } from "../schemas/identity.ts";
import { withLogged } from "../schemas/masked.ts";

/** A session that somebody wants gone: with what is there of it, or since when it is gone. */
export type Erasable =
  | { sessionId: Uuid; session: SessionSummary; erasedAt?: undefined }
  | { sessionId: Uuid; session?: undefined; erasedAt: Date };

/** Who erases, and why. */
export interface Erasure {
  reason: string;
  /** `ATLAS_REVIEWER`, else the user of the system, unless told. */
  author?: string | undefined;
}

/**
 * Finds the session that a person named, also one that is erased already.
 *
 * @param text a UUID, an unambiguous prefix of it, or the integer
 * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS
 */
export async function findErasable(db: Queryable, text: string): Promise<Erasable> {
  try {
    const sessionId = await resolveSessionId(db, text);
    const [session] = await listSessions(db, { sessionIds: [sessionId] });
    if (session !== undefined) return { sessionId, session };
    throw new AtlasError("ATLAS_SESSION_NOT_FOUND", `no session ${JSON.stringify(text)}`);
  } catch (error) {
    if (!isAtlasError(error, "ATLAS_SESSION_NOT_FOUND")) throw error;
    const erasure = await findErasure(db, text);
    if (erasure === undefined) throw error;
    return erasure;
  }
}

/**
 * Takes a session out of the read models and all later datasets. Its events stay in the log, which only grows. Erasing
 * a session that is gone already appends nothing.
 *
 * @returns what was erased; wait for `settled` to see it gone
 * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS, and what keeps the log from taking the event
 * @example
 * await eraseSession(atlas, "018f6b0e", { reason: "the customer asked for it" });
 * await atlas.settled();
 */
export async function eraseSession(
  { log, db }: { log: Pick<EventLog, "append" | "mask">; db: Queryable },
  id: string,
  erasure: Erasure,
): Promise<Erasable> {
  const found = await findErasable(db, id);
  if (found.session !== undefined) {
    const { learningKey } = found.session;
    await log.append([
      withLogged(log.mask(erasureOf(found.session, erasure)), { learning_key: learningKey }),
    ]);
  }
  return found;
}

function erasureOf(session: SessionSummary, { reason, author = reviewer() }: Erasure): SessionErased {
  return createEvent(
    "SessionErased",
    {
      event_id: newId(),
      session_id: session.sessionId,
      source: `erase/${newId()}`,
      sequence: 1,
      occurred_at: nowMicros(),
      time_assumed: false,
    },
    { learning_key: session.learningKey, author, reason },
  );
}
