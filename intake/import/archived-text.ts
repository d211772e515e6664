import { isObject } from "../../traces/clean-text.ts";
import { bytesOf } from "../files/fill.ts";
import { rowOf } from "../files/row-text.ts";
import { MAX_ROW_BYTES } from "../files/split-rows.ts";
import { type ArchivedFile, DamagedArchive } from "../files/zip-archive.ts";
import { parseRow } from "./parse-row.ts";

/** What keeps a file of an archive from being read. */
interface Unread {
  reason: string;
}

const TOO_LONG: Unread = { reason: `it is longer than ${MAX_ROW_BYTES} bytes` };

/** The whole text of a file, which is no longer than a row may be. */
export async function archivedText(file: ArchivedFile): Promise<{ text: string } | Unread> {
  if (file.size > MAX_ROW_BYTES) return TOO_LONG;
  const opened = await file.open();
  if ("reason" in opened) return opened;
  try {
    const bytes = await bytesOf(opened.fill, MAX_ROW_BYTES);
    return bytes === undefined ? TOO_LONG : rowOf(bytes, 1);
  } catch (error) {
    if (!(error instanceof DamagedArchive)) throw error;
    return { reason: error.message };
  } finally {
    opened.close();
  }
}

/** The JSON value of a file. */
export async function archivedValue(file: ArchivedFile): Promise<{ value: unknown } | Unread> {
  const read = await archivedText(file);
  return "reason" in read ? read : parseRow(read.text);
}

/** The JSON object of a file. */
export async function archivedObject(
  file: ArchivedFile,
): Promise<{ value: Record<string, unknown> } | Unread> {
  const read = await archivedValue(file);
  if ("reason" in read) return read;
  return isObject(read.value) ? { value: read.value } : { reason: "it is no object" };
}
