import { stat } from "node:fs/promises";
import { parseRecorded } from "./parse-recorded.ts";

/**
 * Whether there may be something to import: false where every file was read to its end and none holds a conversation. A
 * pipe can be read once only, and may hold anything.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE
 */
export async function mayHoldConversations(files: readonly string[]): Promise<boolean> {
  for (const file of files) {
    if (!(await stat(file)).isFile()) return true;
    for await (const found of parseRecorded(file)) if ("row" in found) return true;
  }
  return false;
}
