import { statSync } from "node:fs";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";

const FILE = ".env";

/**
 * Reads `.env` of the working directory into the environment; what is set already stays.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE
 */
export function readDotEnv(): void {
  try {
    // A folder of that name is somebody's Python environment.
    if (statSync(FILE, { throwIfNoEntry: false })?.isFile() !== true) return;
    process.loadEnvFile(FILE);
  } catch (error) {
    throw new AtlasError("ATLAS_FILE_UNREADABLE", `it cannot be read: ${messageOf(error)}`, {
      where: FILE,
      hint: "Make it readable, or move it away.",
      cause: error,
    });
  }
}
