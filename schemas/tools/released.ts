import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AvroRecord } from "../avro.ts";

/** Where released versions live. */
export const RELEASED = join(import.meta.dirname, "..", "released");
/** SHA-256 of every released file, so that an edit is noticed. */
export const CHECKSUMS = "checksums.json";

/** One released version of an event's schema. */
export interface ReleasedFile {
  name: string;
  version: number;
  file: string;
  sha256: string;
  schema: AvroRecord;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The released versions in a folder, by event name, oldest first. */
export function readReleased(folder = RELEASED): Map<string, ReleasedFile[]> {
  const released = new Map<string, ReleasedFile[]>();
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".avsc")) : [];
  for (const file of files) {
    const match = /^(\w+)\.v(\d+)\.avsc$/.exec(file);
    if (match === null) throw new Error(`${file} is not named <Event>.v<version>.avsc`);
    const text = readFileSync(join(folder, file), "utf8");
    const [, name, version] = match as unknown as [string, string, string];
    const versions = released.get(name) ?? [];
    versions.push({
      name,
      version: Number(version),
      file,
      sha256: sha256(text),
      schema: JSON.parse(text) as AvroRecord,
    });
    released.set(
      name,
      versions.sort((a, b) => a.version - b.version),
    );
  }
  return released;
}

/** The checksums that were recorded at release, by file name. */
export function readChecksums(folder = RELEASED): Record<string, string> {
  const path = join(folder, CHECKSUMS);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, string>) : {};
}
