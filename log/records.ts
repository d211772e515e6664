import { AtlasError } from "../errors/atlas-error.ts";
import { decodeEvent } from "../schemas/codec.ts";
import type { LogRecord, RawRecord } from "./event-log.ts";

/**
 * Decodes a record.
 *
 * @throws AtlasError ATLAS_EVENT_UNREADABLE, ATLAS_SCHEMA_NEWER
 */
export function decodeRecord({
  topic,
  partition,
  offset,
  key,
  appendedAt,
  fingerprint,
  body,
}: RawRecord): LogRecord {
  if (fingerprint === undefined) {
    throw new AtlasError("ATLAS_EVENT_UNREADABLE", "the record was not written by this package", {
      where: `${topic}[${partition}]@${offset}`,
    });
  }
  return { topic, partition, offset, key, appendedAt, event: decodeEvent(fingerprint, body) };
}
