import type { Stats } from "node:fs";
import { readlink, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AtlasError } from "../errors/atlas-error.ts";

/** What a path leads to. */
export interface Target {
  /** Absolute; where the path is a link, what that leads to. */
  path: string;
  /** What is there; undefined where nothing is. */
  found: Stats | undefined;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** Follows a link that leads to nothing yet. */
async function followed(path: string): Promise<string> {
  for (let at = path; ; ) {
    const link = await readlink(at).catch(() => undefined);
    if (link === undefined) return at;
    at = resolve(await realpath(dirname(at)), link);
  }
}

/**
 * What a path leads to, so that it is replaced and not a link to it.
 *
 * @throws what the file system says, ELOOP for links in a circle
 */
export async function targetOf(path: string): Promise<Target> {
  const asked = resolve(path);
  const found = await stat(asked).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return { path: await followed(asked), found };
  // The links of a process's own streams lead to names that are none.
  const isPlace = found.isFile() || found.isDirectory();
  return { path: isPlace ? await realpath(asked) : asked, found };
}

/**
 * Refuses what can neither be replaced by a file nor written through.
 *
 * @returns whether it is written through: a pipe, or a device such as a terminal
 * @throws AtlasError ATLAS_FILE_UNWRITABLE
 */
export function isStream({ path, found }: Target): boolean {
  if (found === undefined || found.isFile()) return false;
  if (found.isFIFO() || found.isCharacterDevice()) return true;
  const what = found.isDirectory() ? "a folder" : found.isSocket() ? "a socket" : "a block device";
  throw new AtlasError("ATLAS_FILE_UNWRITABLE", `the output is ${what}`, {
    where: path,
    hint: "Name a file, a pipe or /dev/stdout.",
  });
}
