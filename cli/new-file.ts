import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import { writeAtomically } from "../files/atomic-file.ts";
import { syncFolder } from "../files/folders.ts";
import { targetOf } from "../files/target.ts";

/**
 * Writes a file that a user goes on from; one that exists is replaced only where that is asked for, and keeps its mode.
 *
 * @throws AtlasError ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
 * @example
 * await writeNewFile("atlas.yaml", text, { force: false });
 */
export async function writeNewFile(path: string, text: string, { force }: { force: boolean }): Promise<void> {
  try {
    const place = force ? await targetOf(path) : { path, found: undefined };
    if (place.found !== undefined) return void (await writeAtomically(path, [text]));
    const folder = dirname(resolve(place.path));
    mkdirSync(folder, { recursive: true });
    writeFileSync(place.path, text, { flag: "wx", flush: true });
    await syncFolder(folder);
  } catch (error) {
    if (error instanceof AtlasError) throw error;
    const exists = (error as { code?: string }).code === "EEXIST";
    const why = exists ? "the file exists already" : `it cannot be written: ${messageOf(error)}`;
    const hint = exists ? "Add --force to replace it, or name another with --output." : "Name another file.";
    throw new AtlasError("ATLAS_FILE_UNWRITABLE", why, { where: path, hint, cause: error });
  }
}
