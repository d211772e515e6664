import { access, constants, open, stat } from "node:fs/promises";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { Micros } from "../../schemas/generated/events.ts";
import { ByteWindow } from "./byte-window.ts";
import { type RecordedRow, readRow } from "./recorded-row.ts";
import { splitRows } from "./split-rows.ts";

/** A line of a file that is no recorded conversation. */
export interface RecordedProblem {
  file: string;
  /** Counts from 1; where the row begins. */
  line: number;
  reason: string;
}

/** A recorded conversation at its place. */
export interface ParsedRow {
  file: string;
  line: number;
  row: RecordedRow;
  /** When the file was last changed. */
  fileTime: Micros;
}

const REASONS: Record<string, string> = {
  ENOENT: "the file does not exist",
  EACCES: "this user may not read the file",
  EPERM: "this user may not read the file",
  EISDIR: "it is a folder, not a file",
};

function unreadable(file: string, error: unknown): AtlasError {
  const reason = REASONS[(error as { code?: string }).code ?? ""];
  return new AtlasError("ATLAS_FILE_UNREADABLE", reason ?? `the file cannot be read: ${messageOf(error)}`, {
    where: file,
    hint: "Give a file of JSON lines, or one JSON array, that this user may read.",
    cause: error,
  });
}

const folderError = (): Error => Object.assign(new Error("a folder"), { code: "EISDIR", syscall: "read" });

/**
 * Makes sure that files can be read, without reading them: pipes are left alone.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE for the first that cannot
 */
export async function checkReadable(files: readonly string[]): Promise<void> {
  for (const file of files) {
    try {
      await access(file, constants.R_OK);
      if ((await stat(file)).isDirectory()) throw folderError();
    } catch (error) {
      throw unreadable(file, error);
    }
  }
}

/**
 * Reads recorded conversations from a file of JSON lines or one JSON array, row by row; files may be larger than
 * memory. A malformed row is reported in its place and does not stop the others.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE
 * @example
 * for await (const found of parseRecorded("runs.jsonl")) {
 *   if ("reason" in found) console.error(`${found.file}:${found.line}: ${found.reason}`);
 * }
 */
export async function* parseRecorded(file: string): AsyncGenerator<ParsedRow | RecordedProblem> {
  try {
    for await (const { fileTime, ...found } of openRows(file)) {
      const row = "reason" in found ? found.reason : readRow(found.text);
      const { line } = found;
      yield typeof row === "string" ? { file, line, reason: row } : { file, line, row, fileTime };
    }
  } catch (error) {
    throw typeof (error as { syscall?: unknown }).syscall === "string" ? unreadable(file, error) : error;
  }
}

async function* openRows(file: string) {
  await using handle = await open(file, "r");
  const { mtimeNs } = await handle.stat({ bigint: true });
  const fileTime = Math.max(0, Number(mtimeNs / 1000n));
  const window = new ByteWindow(async (into, at, length) => {
    const { bytesRead } = await handle.read(into, at, length, null);
    return bytesRead;
  });
  for await (const row of splitRows(window)) yield { ...row, fileTime };
}
