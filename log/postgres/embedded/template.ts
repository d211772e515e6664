import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PGlite } from "@electric-sql/pglite";

/** Where a freshly initialised data folder is packed: beside this file in the package, in a cache in a checkout. */
const PLACES = [
  join(import.meta.dirname, "template.tar.gz"),
  join(import.meta.dirname, "../../../node_modules/.cache/atlas-sdk/template.tar.gz"),
];

/** The packed template, where the build made one: starting from it saves seconds. */
export function readTemplate(): Blob | undefined {
  const path = PLACES.find((place) => existsSync(place));
  return path === undefined ? undefined : new Blob([new Uint8Array(readFileSync(path))]);
}

/** Packs a database's data folder into a file, all or nothing. */
export async function packTemplate(db: PGlite, path: string): Promise<void> {
  const packed = await db.dumpDataDir("gzip");
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, Buffer.from(await packed.arrayBuffer()));
  renameSync(temporary, path);
}
