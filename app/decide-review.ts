import { reviewer } from "../configs/reviewer.ts";
import type { EventLog } from "../log/event-log.ts";
import { createEvent } from "../schemas/codec.ts";
import type { ReviewDecided, Uuid } from "../schemas/generated/events.ts";
import { newId, nowMicros } from "../schemas/identity.ts";
import { type Masked, withLogged } from "../schemas/masked.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";

/** A session as the person who decides sees it. */
export interface ReviewedSession {
  sessionId: Uuid;
  /** As the log has it, which is what listings and the result of a run hold. */
  learningKey: string;
  reviewStatus: ReviewStatus;
}

/**
 * Decisions on sessions, as events of one reviewer in one sitting, for the log that holds the sessions.
 *
 * @throws AtlasError ATLAS_MASK_FAILED
 * @example
 * await atlas.log.append(decisionsOn(atlas.log, sessions, "approved", { note: "checked by hand" }));
 */
export function decisionsOn(
  log: Pick<EventLog, "mask">,
  sessions: readonly ReviewedSession[],
  decision: "approved" | "quarantined",
  { author = reviewer(), note }: { author?: string | undefined; note?: string | undefined } = {},
): Masked<ReviewDecided>[] {
  const source = `review/${newId()}`;
  return sessions.map(({ sessionId, learningKey: learning_key, reviewStatus }, index) => {
    const decided = createEvent(
      "ReviewDecided",
      {
        event_id: newId(),
        session_id: sessionId,
        source,
        sequence: index + 1,
        occurred_at: nowMicros(),
        time_assumed: false,
      },
      { learning_key, decision, author, note: note ?? null, on_status: reviewStatus },
    );
    return withLogged(log.mask(decided), { learning_key });
  });
}
