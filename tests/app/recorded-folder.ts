import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/**
 * An embedded log that is filled once for a test file, and copied for each test that begins with it: to fill it takes
 * longer than most tests. Whatever fills the folder closes it again.
 *
 * @returns copies it into a folder
 */
export function recordedFolder(fill: (folder: string) => Promise<unknown>): (into: string) => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-recorded-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let filled: Promise<unknown> | undefined;
  return async (into) => {
    filled ??= fill(folder);
    await filled;
    cpSync(folder, into, { recursive: true });
  };
}
