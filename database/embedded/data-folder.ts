import { existsSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder, syncTree } from "../../files/folders.ts";
import type { Migrations } from "../migrate.ts";
import { unpackTemplate } from "./template.ts";

/** Says that all of a data folder was synced, and whatever was written to it since. Postgres leaves it alone. */
const MARK = "atlas.synced";

async function syncAll(data: string): Promise<void> {
  await syncTree(data);
  const mark = await open(join(data, MARK), "w", 0o600);
  await mark.sync().finally(() => mark.close());
  await syncFolder(data);
}

/** How a data folder is to be. */
export interface DataOptions {
  /** Whether everything in it is on the disk afterwards, also what was written when that was not asked for. */
  durable: boolean;
  /** What a new one holds from the start. */
  tables: readonly Migrations[];
}

/** Unpacks beside the final place and renames, so that a data folder which is there is whole. */
async function makeData(data: string, { durable, tables }: DataOptions): Promise<void> {
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  if (existsSync(data)) return;
  try {
    await unpackTemplate(fresh, tables);
    if (durable) await syncAll(fresh);
    renameSync(fresh, data);
    if (durable) await syncFolder(dirname(data));
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
}

/** Makes a data folder where there is none. */
export async function prepareData(data: string, options: DataOptions): Promise<void> {
  await makeData(data, options);
  if (!options.durable) rmSync(join(data, MARK), { force: true });
  else if (!existsSync(join(data, MARK))) await syncAll(data);
}
