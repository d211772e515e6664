import { crc32 } from "node:zlib";
import type { EncodedEvent } from "../../schemas/codec.ts";

/** An event as it waits on disk: masked, encoded, with the key that finds its partition. */
export interface SpoolRecord extends EncodedEvent {
  key: string;
}

/** A record of a spool file, and where the next one begins. */
export interface PlacedRecord {
  record: SpoolRecord;
  end: number;
}

/** Length and checksum, each four bytes, big-endian. */
const FRAME_BYTES = 8;
const LONGEST = 16 * 1024 * 1024;

const withLength = (text: string): Buffer => {
  const bytes = Buffer.from(text, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** The bytes of a record: length, CRC-32, then fingerprint and key, each after its length, and the Avro body. */
export function writeRecord({ fingerprint, key, body }: SpoolRecord): Buffer {
  const payload = Buffer.concat([withLength(fingerprint), withLength(key), body]);
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(crc32(payload), 4);
  return Buffer.concat([frame, payload]);
}

function parsePayload(payload: Buffer): SpoolRecord {
  const fingerprintEnd = 2 + payload.readUInt16BE(0);
  const keyEnd = fingerprintEnd + 2 + payload.readUInt16BE(fingerprintEnd);
  return {
    fingerprint: payload.toString("utf8", 2, fingerprintEnd),
    key: payload.toString("utf8", fingerprintEnd + 2, keyEnd),
    body: Buffer.from(payload.subarray(keyEnd)),
  };
}

/** How many bytes the record at this place takes; undefined where not even its frame is there, or is none. */
export function recordBytes(bytes: Buffer, start: number): number | undefined {
  if (bytes.length - start < FRAME_BYTES) return undefined;
  const length = bytes.readUInt32BE(start);
  return length === 0 || length > LONGEST ? undefined : FRAME_BYTES + length;
}

/** The record at this place; undefined where it is torn or damaged. */
export function readRecord(bytes: Buffer, start: number): PlacedRecord | undefined {
  const size = recordBytes(bytes, start);
  if (size === undefined || start + size > bytes.length) return undefined;
  const payload = bytes.subarray(start + FRAME_BYTES, start + size);
  if (crc32(payload) !== bytes.readUInt32BE(start + 4)) return undefined;
  return { record: parsePayload(payload), end: start + size };
}
