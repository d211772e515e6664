import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, DeadLettered } from "../../schemas/generated/events.ts";
import { idOf, isUuid } from "../../schemas/identity.ts";
import type { RawRecord } from "../event-log.ts";

/** This many records in a row that cannot be applied stop a consumer: then it is a bug, not a poison record. */
export const POISON_STORM = 10;

/** Bodies up to this size travel with the letter. */
const MAX_LETTER_BYTES = 256 * 1024;

function sessionOf(record: RawRecord, event: AtlasEvent | undefined): string | null {
  if (event !== undefined) return event.meta.session_id ?? null;
  return record.topic === "atlas.sessions" && isUuid(record.key) ? record.key : null;
}

/**
 * The event that sets a record aside, with its place and its bytes. The same record always gives the same event.
 *
 * @param event the decoded event, where it could be decoded
 */
export function deadLetter(
  group: string,
  record: RawRecord,
  error: unknown,
  event: AtlasEvent | undefined,
): DeadLettered {
  const source = `dead-letters/${group}/${record.topic}/${record.partition}`;
  return createEvent(
    "DeadLettered",
    {
      event_id: idOf(source, record.offset),
      session_id: sessionOf(record, event),
      source,
      sequence: record.offset + 1,
      occurred_at: record.appendedAt,
      time_assumed: false,
      causation_id: event?.meta.event_id ?? null,
    },
    {
      learning_key: record.key,
      group,
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
      error_code: isAtlasError(error) ? error.code : "ATLAS_UNEXPECTED",
      error: messageOf(error).slice(0, 2000),
      fingerprint: record.fingerprint ?? "",
      // A body that does not fit stays where it is: the letter names the place.
      body: record.body.length > MAX_LETTER_BYTES ? Buffer.alloc(0) : record.body,
    },
  );
}

/** What a consumer stops with when too many records in a row could not be applied. */
export function stormError(group: string, record: RawRecord, error: unknown): AtlasError {
  return new AtlasError(
    "ATLAS_CONSUMER_UNHEALTHY",
    `${POISON_STORM} records in a row failed in ${group}: ${messageOf(error)}`,
    {
      where: `${record.topic}[${record.partition}] up to offset ${record.offset}`,
      hint: "This is a fault of the consumer or of its database: mend it and start again; nothing more was set aside.",
      cause: error,
    },
  );
}
