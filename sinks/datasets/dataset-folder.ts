import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type FileLock, tryFileLock } from "../../database/file-lock.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { explainWrite } from "../../files/explain-write.ts";
import { FOLDER_MODE, makeFolder, syncFolder } from "../../files/folders.ts";
import { inherit } from "../../files/inherit.ts";
import { targetOf } from "../../files/target.ts";
import { inTurn } from "../../files/turn.ts";
import { MANIFEST } from "./manifest.ts";

/** A folder that is being filled beside the place where it will be. */
export interface NewFolder {
  /** What will be in the dataset. */
  readonly content: string;
  /** For what is needed while it is built. */
  readonly scratch: string;
  /** Puts the content in its place; returns the absolute path. */
  publish(): Promise<string>;
  /** Takes away whatever is left of the attempt. */
  discard(): Promise<void>;
}

/** What is in the folder of an attempt, which is beside `data/` and called `.data.building-<random>`. */
const CONTENT = "content";
const SCRATCH = "scratch";
/** The dataset that was there, until the new one is in its place. */
const REPLACED = "replaced";
/** Held by whoever builds, so that others see it, from whichever container or host. */
const LOCK = "lock.sqlite";

/** The folder of an attempt, and the lock of it, which this process has. */
interface Attempt {
  home: string;
  lock: FileLock;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function remove({ home, lock }: Attempt): Promise<void> {
  await rm(home, { recursive: true, force: true });
  lock.release();
}

/** What processes that are gone left; what one of them was about to replace is put back. */
async function takeLeftovers(target: string, building: string): Promise<Attempt[]> {
  const found: Attempt[] = [];
  for (const name of await readdir(dirname(target))) {
    const home = join(dirname(target), name);
    // Whoever is done takes its folder away at any time.
    if (!name.startsWith(building) || !(await exists(home))) continue;
    const lock = tryFileLock(join(home, LOCK));
    if (lock === undefined) continue;
    found.push({ home, lock });
    const replaced = join(home, REPLACED);
    if ((await exists(replaced)) && !(await exists(target))) await rename(replaced, target);
  }
  return found;
}

async function begin(target: string): Promise<Attempt> {
  const building = `.${basename(target)}.building-`;
  await makeFolder(dirname(target));
  const { own, leftovers } = await inTurn(target, async () => {
    const found = await takeLeftovers(target, building);
    const home = join(dirname(target), building + randomUUID().slice(0, 13));
    await mkdir(home, { mode: FOLDER_MODE });
    return { own: { home, lock: tryFileLock(join(home, LOCK))! }, leftovers: found };
  });
  for (const leftover of leftovers) await remove(leftover);
  return own;
}

async function refuseToReplace(target: string, force: boolean): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return;
  const refuse = (why: string, hint: string): AtlasError =>
    new AtlasError("ATLAS_FILE_UNWRITABLE", why, { where: target, hint });
  if (!found.isDirectory()) throw refuse("it is no folder", "Name another folder.");
  const empty = (await readdir(target)).length === 0;
  if (empty) return;
  if (!(await exists(join(target, MANIFEST))))
    throw refuse("the folder holds something that is no dataset", "Name another folder.");
  if (!force) throw refuse("there is a dataset already", "Name another folder, or replace it with --force.");
}

/** Replaces what is there, and gives the new one its modes: of the folder, and of its manifest for every file. */
async function replace(target: string, { home }: Attempt): Promise<void> {
  const give = async (path: string, from: Stats): Promise<void> => {
    const file = await open(path, "r");
    await inherit(file, from).finally(() => file.close());
  };
  const content = join(home, CONTENT);
  const replaced = join(home, REPLACED);
  const manifest = await stat(join(target, MANIFEST)).catch(() => undefined);
  if (manifest !== undefined)
    for (const name of await readdir(content)) await give(join(content, name), manifest);
  await give(content, await stat(target));
  await rename(target, replaced);
  await rename(content, target).catch(async (error: unknown) => {
    await rename(replaced, target);
    throw error;
  });
}

/**
 * Begins a folder that appears whole or not at all, also when the process dies. It is its owner's alone, unless it
 * replaces one that is not. A link to a folder stays, and what it leads to is replaced.
 *
 * @param output where it will be; its parents are created
 * @param force replaces a dataset that is there; anything else is never replaced
 * @throws AtlasError ATLAS_FILE_UNWRITABLE
 */
export async function newFolder(output: string, force: boolean): Promise<NewFolder> {
  let target = resolve(output);
  let attempt: Attempt | undefined;
  const discard = async (): Promise<void> => {
    if (attempt !== undefined) await remove(attempt);
    attempt = undefined;
  };
  try {
    target = (await targetOf(output)).path;
    const own = await begin(target);
    attempt = own;
    await refuseToReplace(target, force);
    const [content, scratch] = [join(own.home, CONTENT), join(own.home, SCRATCH)];
    for (const folder of [content, scratch]) await mkdir(folder, { mode: FOLDER_MODE });
    return {
      content,
      scratch,
      async publish() {
        try {
          await syncFolder(content);
          await inTurn(target, async () => {
            await refuseToReplace(target, force);
            if (await exists(target)) await replace(target, own);
            else await rename(content, target);
          });
          await syncFolder(dirname(target));
        } catch (error) {
          throw explainWrite(target, error);
        }
        await discard();
        return target;
      },
      discard,
    };
  } catch (error) {
    await discard();
    throw explainWrite(target, error);
  }
}
