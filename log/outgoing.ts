import { AtlasError } from "../errors/atlas-error.ts";
import { encodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { partitionOf } from "../schemas/partition.ts";
import { destinationOf, keyOf } from "../schemas/topics.ts";
import type { OutgoingRecord } from "./event-log.ts";

/** The largest body of one event; larger contents continue in further events. */
export const MAX_EVENT_BYTES = 900 * 1024;
/** A batch closes at this many events or bytes, whichever comes first. */
export const MAX_BATCH_EVENTS = 500;
export const MAX_BATCH_BYTES = 512 * 1024;

/**
 * Replaces what must not be written; runs on every event before it is encoded. An event may come twice, the second
 * time as the mask left it: that has to come back as it is.
 */
export type Mask = (event: AtlasEvent) => AtlasEvent;

/**
 * Masks an event. Nothing of it may be used where that fails.
 *
 * @throws AtlasError ATLAS_MASK_FAILED
 */
export function masked(event: AtlasEvent, mask: Mask | undefined): AtlasEvent {
  if (mask === undefined) return event;
  try {
    return mask(event);
  } catch (error) {
    // Not what it threw: that may quote the very text which was to be taken out.
    const kind = error instanceof Error ? error.name : typeof error;
    throw new AtlasError("ATLAS_MASK_FAILED", `the mask function threw (${kind})`, {
      where: `${event.type} ${event.meta.event_id}`,
      hint: "Mend the mask function; nothing of this event was written.",
    });
  }
}

/**
 * Masks and encodes events and finds their place: the only way from an event to bytes in a log.
 *
 * @throws AtlasError ATLAS_MASK_FAILED, ATLAS_EVENT_INVALID, ATLAS_EVENT_TOO_LARGE
 */
export function toOutgoing(events: readonly AtlasEvent[], partitions: number, mask?: Mask): OutgoingRecord[] {
  return events.map((original) => {
    const event = masked(original, mask);
    const { fingerprint, body } = encodeEvent(event);
    if (body.length > MAX_EVENT_BYTES) {
      throw new AtlasError(
        "ATLAS_EVENT_TOO_LARGE",
        `${event.type} takes ${body.length} bytes, more than ${MAX_EVENT_BYTES}`,
        {
          where: `event ${event.meta.event_id}`,
          hint: "Split its content with splitContent from atlas-sdk.",
        },
      );
    }
    const key = keyOf(event);
    return { topic: destinationOf(event), partition: partitionOf(key, partitions), key, fingerprint, body };
  });
}

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
