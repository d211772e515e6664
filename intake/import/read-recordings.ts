import { access, constants, type FileHandle, open, stat } from "node:fs/promises";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { Micros } from "../../schemas/generated/events.ts";
import { ByteWindow } from "../files/byte-window.ts";
import { openBytes } from "../files/open-bytes.ts";
import { splitRows } from "../files/split-rows.ts";
import type { Format, RecordedConversation } from "../formats/format.ts";
import { archiveParts } from "./archive-parts.ts";
import { FileFormats, type Note, type ReadOptions } from "./file-formats.ts";
import { type FilePart, onlyProblem } from "./file-part.ts";

/** Something to say about a place in a file. */
export interface RecordedProblem {
  file: string;
  /** Counts from 1; where the row begins. */
  line: number;
  reason: string;
}

/** A recorded conversation at its place. */
export interface FoundConversation {
  file: string;
  /** What it is counted with: the file, or the archive whose files are one log. */
  log: string;
  line: number;
  format: Format;
  conversation: RecordedConversation;
  /** When the file was last changed. */
  fileTime: Micros;
  /** How many characters it was written in. */
  length: number;
}

/** What a file holds: a conversation, a problem, or a note on something that could not be used. */
export type Found = { found: FoundConversation } | { problem: RecordedProblem } | { note: RecordedProblem };

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
    hint: "Give a file of recorded conversations that this user may read.",
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

/** A fault of the system or of what unpacks the file; any other is ours. */
const isFileFault = (error: unknown): boolean => {
  const { syscall, code } = error as { syscall?: unknown; code?: unknown };
  return typeof syscall === "string" || (typeof code === "string" && /^(Z_|ZSTD_|ERR_ZSTD)/.test(code));
};

/**
 * Reads recorded conversations from a file of any format, row by row; files may be larger than memory. A row that holds
 * none is reported in its place and does not stop the others.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE
 * @example
 * for await (const each of readRecordings("runs.jsonl")) {
 *   if ("problem" in each) console.error(`${each.problem.file}:${each.problem.line}: ${each.problem.reason}`);
 * }
 */
export async function* readRecordings(file: string, options: ReadOptions = {}): AsyncGenerator<Found> {
  try {
    yield* readOpened(file, options);
  } catch (error) {
    throw isFileFault(error) ? unreadable(file, error) : error;
  }
}

/** The rows of a file, or those of each file in it. */
async function* partsOf(file: string, handle: FileHandle): AsyncGenerator<FilePart> {
  const bytes = await openBytes(
    async (into, at, length) => (await handle.read(into, at, length, null)).bytesRead,
  );
  if ("fill" in bytes) return yield { file, rows: splitRows(new ByteWindow(bytes.fill)) };
  if ("reason" in bytes) return yield onlyProblem(file, bytes.reason);
  if ((await handle.stat()).isFile()) return yield* archiveParts(file);
  yield onlyProblem(file, "it is a zip archive in a pipe: give the file itself");
}

async function* readOpened(file: string, options: ReadOptions): AsyncGenerator<Found> {
  await using handle = await open(file, "r");
  const { mtimeNs } = await handle.stat({ bigint: true });
  const fileTime = Math.max(0, Number(mtimeNs / 1000n));
  for await (const part of partsOf(file, handle)) yield* readPart(part, fileTime, options);
}

async function* readPart(
  { file, rows, note: told, log = file }: FilePart,
  fileTime: Micros,
  options: ReadOptions,
): AsyncGenerator<Found> {
  const at = ({ line, reason }: Note): RecordedProblem => ({ file, line, reason });
  const formats = new FileFormats(options);
  let isEmpty = true;
  const say = function* (): Generator<Found> {
    for (const note of formats.takeNotes()) yield { note: { ...at(note), file: log } };
    for (const problem of formats.takeProblems()) yield { problem: at(problem) };
    for (const found of formats.takeConversations()) yield { found: { file, log, fileTime, ...found } };
  };
  if (told !== undefined) yield { note: at({ line: 1, reason: told }) };
  for await (const row of rows) {
    isEmpty = false;
    if ("reason" in row) yield { problem: at(row) };
    else {
      formats.add(row);
      yield* say();
    }
  }
  formats.end();
  yield* say();
  if (isEmpty && told === undefined) yield { note: { file, line: 1, reason: "the file is empty" } };
}
