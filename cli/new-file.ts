import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";

/**
 * Writes a file that a user goes on from; one that exists is replaced only where that is asked for.
 *
 * @throws AtlasError ATLAS_FILE_UNWRITABLE
 * @example
 * writeNewFile("atlas.yaml", text, { force: false });
 */
export function writeNewFile(path: string, text: string, { force }: { force: boolean }): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: force ? "w" : "wx" });
  } catch (error) {
    const exists = (error as { code?: string }).code === "EEXIST";
    const why = exists ? "the file exists already" : `it cannot be written: ${messageOf(error)}`;
    const hint = exists ? "Add --force to replace it, or name another with --output." : "Name another file.";
    throw new AtlasError("ATLAS_FILE_UNWRITABLE", why, { where: path, hint, cause: error });
  }
}
