import { AtlasError } from "../errors/atlas-error.ts";
import { encodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { checkLearningKey } from "../schemas/learning-key.ts";
import { isMasked, type Masked } from "../schemas/masked.ts";
import { partitionOf } from "../schemas/partition.ts";
import { destinationOf, keyOf } from "../schemas/topics.ts";
import type { OutgoingRecord } from "./event-log.ts";

/** The largest body of one event; larger contents continue in further events. */
export const MAX_EVENT_BYTES = 900 * 1024;
/** A batch closes at this many events or bytes, whichever comes first. */
export const MAX_BATCH_EVENTS = 500;
export const MAX_BATCH_BYTES = 512 * 1024;

/**
 * Refuses what consumers could never keep: their databases hold no NUL in a key, and no long ones.
 */
function checkKeys(event: AtlasEvent, key: string): void {
  const where = `event ${event.meta.event_id}`;
  if (event.type === "SessionStarted") checkLearningKey(event.learning_key, where);
  const field = event.meta.source.includes("\0") ? "source" : key.includes("\0") ? "key" : undefined;
  if (field === undefined) return;
  throw new AtlasError("ATLAS_EVENT_INVALID", `the ${field} of ${event.type} holds a NUL character`, {
    where,
    hint: "Postgres, where consumers keep what they know of a key, has no such texts.",
  });
}

/**
 * Encodes events and finds their place: the only way from an event to bytes in a log.
 *
 * @throws AtlasError ATLAS_EVENT_UNMASKED, ATLAS_EVENT_INVALID, ATLAS_LEARNING_KEY_INVALID, ATLAS_EVENT_TOO_LARGE
 */
export function toOutgoing(events: readonly Masked[], partitions: number): OutgoingRecord[] {
  return events.map((event) => {
    if (!isMasked(event)) throw unmasked(event);
    const { fingerprint, body } = encodeEvent(event);
    if (body.length > MAX_EVENT_BYTES) {
      throw new AtlasError(
        "ATLAS_EVENT_TOO_LARGE",
        `${event.type} takes ${body.length} bytes, more than ${MAX_EVENT_BYTES}`,
        {
          where: `event ${event.meta.event_id}`,
          hint: "Split its content with splitContent from atlas-sdk/log.",
        },
      );
    }
    const key = keyOf(event);
    checkKeys(event, key);
    return { topic: destinationOf(event), partition: partitionOf(key, partitions), key, fingerprint, body };
  });
}

const unmasked = ({ type, meta }: AtlasEvent): AtlasError =>
  new AtlasError("ATLAS_EVENT_UNMASKED", `${type} did not go through the log's mask`, {
    where: `event ${meta?.event_id}`,
    hint: "Append log.mask(event): an event that is copied or changed afterwards has to go through it again.",
  });

/** Cuts a list into batches that stay within the limits of one append. */
export function* batchesOf(records: readonly OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let batch: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (
      batch.length > 0 &&
      (batch.length >= MAX_BATCH_EVENTS || bytes + record.body.length > MAX_BATCH_BYTES)
    ) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += record.body.length;
  }
  if (batch.length > 0) yield batch;
}
