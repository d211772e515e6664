import { reviewer } from "../configs/reviewer.ts";
import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { newId, nowMicros } from "../schemas/identity.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";

/** A session as the person who decides sees it. */
export interface ReviewedSession {
  sessionId: Uuid;
  learningKey: string;
  reviewStatus: ReviewStatus;
}

/** Decisions on sessions, as events of one reviewer in one sitting. */
export function decisionsOn(
  sessions: readonly ReviewedSession[],
  decision: "approved" | "quarantined",
  { author = reviewer(), note }: { author?: string | undefined; note?: string | undefined } = {},
): AtlasEvent[] {
  const source = `review/${newId()}`;
  return sessions.map(({ sessionId, learningKey, reviewStatus }, index) =>
    createEvent(
      "ReviewDecided",
      {
        event_id: newId(),
        session_id: sessionId,
        source,
        sequence: index + 1,
        occurred_at: nowMicros(),
        time_assumed: false,
      },
      { learning_key: learningKey, decision, author, note: note ?? null, on_status: reviewStatus },
    ),
  );
}
