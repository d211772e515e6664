import { type FileHandle, open } from "node:fs/promises";
import type { JsonText, Micros } from "../../schemas/generated/events.ts";
import { ByteWindow } from "../files/byte-window.ts";
import { isSpace, NEWLINE, rowOf } from "../files/row-text.ts";
import { MAX_ROW_BYTES } from "../files/split-rows.ts";
import { checkReadable, type RecordedProblem } from "../import/read-recordings.ts";
import { microsOf } from "../recorded-time.ts";
import { membersOf } from "./json-slices.ts";

/** A row of an export at its place. */
export interface ExportRow {
  line: number;
  text: JsonText;
}

interface Place {
  line: number;
  start: number;
  length: number;
  /** When the session ended, as far as the row tells. */
  completed: Micros;
}

const windowOf = (handle: FileHandle): ByteWindow =>
  new ByteWindow(async (into, at, length) => (await handle.read(into, at, length, null)).bytesRead);

/** The lines of a file, and where they are; blank ones are left out. */
async function* linesOf(window: ByteWindow): AsyncGenerator<{ line: number; start: number; bytes: Buffer }> {
  let start = 0;
  let more = true;
  for (let line = 1; more; line += 1) {
    let stop = -1;
    for (let searched = start; stop === -1; ) {
      stop = window.indexOf(NEWLINE, searched);
      if (stop !== -1) break;
      searched = window.end;
      window.release(start);
      more = await window.more();
      if (!more) stop = window.end;
    }
    const bytes = window.slice(start, stop);
    if (!bytes.every(isSpace)) yield { line, start, bytes };
    start = stop + 1;
  }
}

function completionOf(bytes: Buffer, line: number): Micros {
  try {
    const row = rowOf(bytes, line);
    const metadata = "text" in row ? membersOf(row.text).get("session_metadata") : undefined;
    const known = JSON.parse(metadata ?? "{}") as { completed_at?: unknown; created_at?: unknown } | null;
    return microsOf(known?.completed_at) ?? microsOf(known?.created_at) ?? 0;
  } catch {
    // Whatever is wrong with it is said when the row is read.
    return 0;
  }
}

/**
 * Reads an export of the Python SDK, oldest completion first: such files begin with the newest session, and drift
 * compares a session with those before it. Two passes, so that memory holds places rather than rows.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE
 */
export async function* readExport(file: string): AsyncGenerator<ExportRow | RecordedProblem> {
  await checkReadable([file]);
  await using handle = await open(file, "r");
  const places: Place[] = [];
  for await (const { line, start, bytes } of linesOf(windowOf(handle))) {
    if (bytes.length > MAX_ROW_BYTES)
      yield { file, line, reason: `it is longer than ${MAX_ROW_BYTES} bytes` };
    else places.push({ line, start, length: bytes.length, completed: completionOf(bytes, line) });
  }
  places.sort((a, b) => a.completed - b.completed || a.line - b.line);
  for (const { line, start, length } of places) {
    const bytes = Buffer.allocUnsafe(length);
    await handle.read(bytes, 0, length, start);
    const row = rowOf(bytes, line);
    yield "text" in row ? { line, text: row.text.replace(/^\uFEFF/, "") } : { file, ...row };
  }
}
