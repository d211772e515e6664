import { ByteWindow } from "../files/byte-window.ts";
import { openBytes } from "../files/open-bytes.ts";
import type { RowProblem, RowText } from "../files/row-text.ts";
import { splitRows } from "../files/split-rows.ts";
import { type Archive, type ArchivedFile, DamagedArchive, openArchive } from "../files/zip-archive.ts";
import { evalParts, isEvalLog } from "./eval-archive.ts";
import { type FilePart, onlyProblem } from "./file-part.ts";

/** Files that are read, by how their names end. */
const READABLE = /\.(?:json|jsonl|ndjson|traj)(?:\.gz|\.zst)?$/i;
/** What systems put beside the files of somebody. */
const HIDDEN = /(?:^|\/)(?:__MACOSX\/|\.[^/.])/;

/** A fault of what is packed once more in a file. */
const isUnpacking = (error: unknown): error is Error =>
  error instanceof DamagedArchive ||
  (error instanceof Error && /^(Z_|ZSTD_|ERR_ZSTD)/.test(String((error as { code?: unknown }).code)));

async function* rowsIn(file: ArchivedFile): AsyncGenerator<RowText | RowProblem> {
  const opened = await file.open();
  if ("reason" in opened) return yield { line: 1, reason: opened.reason };
  let line = 1;
  try {
    const bytes = await openBytes(opened.fill);
    if ("reason" in bytes) return yield { line, reason: bytes.reason };
    if ("archive" in bytes) return yield { line, reason: "it is an archive in an archive; unpack it first" };
    for await (const row of splitRows(new ByteWindow(bytes.fill))) {
      line = row.line;
      yield row;
    }
  } catch (error) {
    if (!isUnpacking(error)) throw error;
    yield { line, reason: `from here on: ${error.message}` };
  } finally {
    opened.close();
  }
}

function* partsIn(path: string, { files }: Archive): Generator<FilePart> {
  const shown = files.filter(({ name }) => !HIDDEN.test(name));
  const readable = shown.filter(({ name }) => READABLE.test(name));
  if (readable.length === 0)
    return yield onlyProblem(path, "it is a zip archive without a .json or .jsonl file in it");
  const others = shown.length - readable.length;
  if (others > 0)
    yield {
      file: path,
      rows: [],
      note: `files in it that are no .json or .jsonl: ${others}; they were left out`,
    };
  for (const file of readable) yield { file: `${path}!${file.name}`, rows: rowsIn(file) };
}

/** The files in a zip archive, one after the other; a log of Inspect is one of a row for each sample. */
export async function* archiveParts(path: string): AsyncGenerator<FilePart> {
  let archive: Archive;
  try {
    archive = await openArchive(path);
  } catch (error) {
    if (!(error instanceof DamagedArchive)) throw error;
    return yield onlyProblem(path, `it is a damaged zip archive: ${error.message}`);
  }
  try {
    if (isEvalLog(archive)) yield* evalParts(path, archive);
    else yield* partsIn(path, archive);
  } finally {
    archive.close();
  }
}
