import type { FileHandle } from "node:fs/promises";
import { type PlacedRecord, readRecord, recordBytes, type SpoolRecord } from "./spool-record.ts";

/** Records that follow each other in a spool file. */
export interface SpoolBatch {
  records: SpoolRecord[];
  /** Where the next record begins, in bytes. */
  end: number;
}

const READ_BYTES = 1024 * 1024;

async function readAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/**
 * Reads the next records of a spool file, up to these limits. What is torn or damaged ends it: no records, and `end`
 * where it begins.
 *
 * @param from where a record begins
 * @param until nothing from there on is read
 */
export async function readSpool(
  file: FileHandle,
  from: number,
  until: number,
  limits: { events: number; bytes: number },
): Promise<SpoolBatch> {
  let bytes = await readAt(file, from, Math.min(READ_BYTES, until - from));
  const needed = recordBytes(bytes, 0);
  // The first record always comes, however large.
  if (needed !== undefined && needed > bytes.length && from + needed <= until)
    bytes = await readAt(file, from, needed);
  const records: SpoolRecord[] = [];
  let end = 0;
  let taken = 0;
  while (records.length < limits.events) {
    const placed: PlacedRecord | undefined = readRecord(bytes, end);
    if (placed === undefined) break;
    taken += placed.record.body.length;
    if (records.length > 0 && taken > limits.bytes) break;
    records.push(placed.record);
    end = placed.end;
  }
  return { records, end: from + end };
}
