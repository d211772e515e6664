import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { PGlite } from "@electric-sql/pglite";
import { writeWhole } from "../../files/whole-file.ts";

/** The packed template beside this file in the package, and in a checkout's cache. */
const BUILT = join(import.meta.dirname, "template.tar.gz");
const CACHED = join(import.meta.dirname, "../../node_modules/.cache/atlas-sdk/template.tar.gz");

/** Initialises a database in memory and packs its data folder (tar, gzip). Takes seconds. */
export async function makeTemplate(): Promise<Buffer> {
  // Segments of 1 MB instead of 16: a new folder is smaller, and faster to unpack.
  const db = await PGlite.create({ initDbStartParams: ["--wal-segsize=1"] });
  await db.exec("checkpoint");
  const packed = await db.dumpDataDir("gzip");
  await db.close();
  return Buffer.from(await packed.arrayBuffer());
}

/** The packed template that the build made. Without one it is made now, and kept if this is a checkout. */
async function readTemplate(): Promise<Buffer> {
  const found = [BUILT, CACHED].find((path) => existsSync(path));
  if (found !== undefined) return readFileSync(found);
  const made = await makeTemplate();
  if (extname(import.meta.url) === ".ts") writeWhole(CACHED, made, 0o644);
  return made;
}

const NAME_BYTES = 100;
const BLOCK = 512;
const FOLDER = "5".charCodeAt(0);

/** Unpacks the template into a new folder: four times as fast as PGlite does it itself. */
export async function unpackTemplate(folder: string): Promise<void> {
  const tar = gunzipSync(await readTemplate());
  mkdirSync(folder, { mode: 0o700 });
  const field = (at: number, length: number): string =>
    tar.toString("latin1", at, at + length).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const path = join(folder, field(at, NAME_BYTES));
    const size = Number.parseInt(field(at + 124, 12), 8) || 0;
    const content = at + BLOCK;
    if (tar[at + 156] === FOLDER) mkdirSync(path, { recursive: true, mode: 0o700 });
    else writeFileSync(path, tar.subarray(content, content + size), { mode: 0o600 });
    at = content + Math.ceil(size / BLOCK) * BLOCK;
  }
}
