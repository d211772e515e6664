import { createEvent } from "../../schemas/codec.ts";
import type { DeadLetterRetried } from "../../schemas/generated/events.ts";
import { idOf, nowMicros } from "../../schemas/identity.ts";
import type { DeadLetter } from "../dead-letters.ts";

/** Says that a record which was set aside is so no longer: it was applied, or put back where it is applied anew. */
export const retriedFact = (
  { id, sessionId, group, topic, partition, offset, key }: DeadLetter,
  author: string,
): DeadLetterRetried =>
  createEvent(
    "DeadLetterRetried",
    {
      event_id: idOf("dead-letter-retried", id),
      session_id: sessionId,
      // A source of its own: letters are retried in any order.
      source: `dead-letter-retried/${id}`,
      sequence: 1,
      occurred_at: nowMicros(),
      time_assumed: false,
      causation_id: id,
    },
    { learning_key: key, group, topic, partition, offset, author },
  );
