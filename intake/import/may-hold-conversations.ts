import { stat } from "node:fs/promises";
import type { ReadOptions } from "./file-formats.ts";
import { readRecordings } from "./read-recordings.ts";

/**
 * Whether there may be something to import: false where every file was read to its end and none holds a conversation. A
 * pipe can be read once only, and may hold anything.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE
 */
export async function mayHoldConversations(
  files: readonly string[],
  options: ReadOptions = {},
): Promise<boolean> {
  for (const file of files) {
    if (!(await stat(file)).isFile()) return true;
    for await (const each of readRecordings(file, options)) if ("found" in each) return true;
  }
  return false;
}
