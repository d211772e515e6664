import { readdirSync, renameSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, tryFileLock } from "../../database/file-lock.ts";
import { isAtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_EVENTS } from "../../log/outgoing.ts";
import { errorWords, loggedError } from "../../logging/logged-error.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { appendSound } from "../append-sound.ts";
import { lockPathOf, removeSpool, SPOOL_SUFFIX } from "./spool-file.ts";
import { readSpool } from "./spool-reader.ts";
import { recordBytes } from "./spool-record.ts";

/** What became of the spool files of a folder. */
export interface DrainReport {
  /** Events that are in the log now. */
  events: number;
  /** Files that were appended and are gone. */
  files: number;
  /** Files that are still there, and why; a file in use is drained by the process that uses it. */
  kept: { path: string; why: string; inUse?: true }[];
}

/** What a spool is drained into. */
export type SpoolTarget = Pick<EventLog, "id" | "append">;

const LIMITS = { events: MAX_BATCH_EVENTS, bytes: MAX_BATCH_BYTES };
const HEADER_BYTES = 4096;

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** The files of a spool folder, the oldest first. */
function spoolFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(SPOOL_SUFFIX))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

interface Header {
  log: string;
  end: number;
}

/** The header of a file; undefined where it is not whole, and so nothing can be behind it. */
async function readHeader(file: FileHandle): Promise<Header | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  const end = buffer.subarray(0, bytesRead).indexOf("\n");
  if (end < 0) return undefined;
  try {
    const { log } = JSON.parse(buffer.toString("utf8", 0, end)) as { log: string };
    return { log, end: end + 1 };
  } catch {
    return undefined;
  }
}

interface Drained {
  events: number;
  /** Why the file is kept, where it is. */
  why?: string;
  /** What is left can never be appended by this version. */
  damaged?: boolean;
}

async function drainOpen(file: FileHandle, log: SpoolTarget): Promise<Drained> {
  const { size } = await file.stat();
  const header = await readHeader(file);
  if (header === undefined)
    return size < HEADER_BYTES ? { events: 0 } : { events: 0, damaged: true, why: "it is no spool file" };
  if (header.log !== log.id) return { events: 0, why: `its events are for the log ${header.log}` };

  let events = 0;
  let refused: string | undefined;
  let from = header.end;
  for (;;) {
    const batch = await readSpool(file, from, size, LIMITS);
    if (batch.records.length === 0) break;
    const decoded = batch.records.map(({ fingerprint, body }) =>
      alreadyMasked(decodeEvent(fingerprint, body)),
    );
    const faults = await appendSound(log, decoded);
    events += decoded.length - faults.size;
    for (const error of faults.values()) refused ??= errorWords(loggedError(error));
    from = batch.end;
  }
  if (refused !== undefined) return { events, damaged: true, why: `the log refused some of it: ${refused}` };
  const rest = await file.read(Buffer.alloc(8), 0, 8, from);
  const needed = recordBytes(rest.buffer.subarray(0, rest.bytesRead), 0);
  const torn = rest.bytesRead < 8 || (needed !== undefined && from + needed > size);
  // The end of a write that was cut short was never confirmed to anybody.
  return torn ? { events } : { events, damaged: true, why: `it is damaged from byte ${from} on` };
}

async function drainFile(path: string, lock: FileLock, log: SpoolTarget, report: DrainReport): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    lock.release();
    // Who had the lock before took it away.
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  try {
    const { events, why, damaged } = await drainOpen(file, log).finally(() => file.close());
    report.events += events;
    if (why === undefined) {
      report.files += 1;
      removeSpool(path, lock);
      return;
    }
    const kept = damaged ? `${path}.damaged` : path;
    if (damaged) renameSync(path, kept);
    report.kept.push({ path: kept, why });
    lock.release();
  } catch (error) {
    lock.release();
    const ofThisFile =
      isAtlasError(error, "ATLAS_SCHEMA_NEWER") || isAtlasError(error, "ATLAS_EVENT_UNREADABLE");
    if (!ofThisFile) throw error;
    report.kept.push({ path, why: errorWords(loggedError(error)) });
  }
}

/**
 * Appends what processes that are gone left in a spool folder, the oldest file first, and takes the files away. A
 * file is drained by one process at a time; events that are in the log already are dropped by its readers.
 *
 * @throws AtlasError ATLAS_LOG_UNREACHABLE or what else keeps the log from taking them: the files stay
 * @example
 * const { events } = await drainSpools(".atlas/spool", log);
 */
export async function drainSpools(folder: string, log: SpoolTarget): Promise<DrainReport> {
  const report: DrainReport = { events: 0, files: 0, kept: [] };
  for (const path of spoolFiles(folder)) {
    const lock = tryFileLock(lockPathOf(path));
    if (lock === undefined) report.kept.push({ path, why: "a running process uses it", inUse: true });
    else await drainFile(path, lock, log, report);
  }
  return report;
}
