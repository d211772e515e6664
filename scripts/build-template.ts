// Packs a freshly initialised data folder of the embedded database, so that a first start need not make one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { packTemplate } from "../log/postgres/embedded/template.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-template-"));
try {
  const db = await PGlite.create({ dataDir: join(folder, "pgdata") });
  await packTemplate(db, process.argv[2] as string);
  await db.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
