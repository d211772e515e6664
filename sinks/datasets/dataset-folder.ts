import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";
import { explainWrite, syncFolder } from "../atomic-file.ts";
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

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** Beside `data/` these are `.data.building-<pid>-<random>` and `.data.replaced`. */
const names = (target: string) => ({
  building: `.${basename(target)}.building-`,
  replaced: join(dirname(target), `.${basename(target)}.replaced`),
});

/** Takes away what processes that are gone left, and puts back what one of them was about to replace. */
async function tidy(target: string): Promise<void> {
  const { building, replaced } = names(target);
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(building)) continue;
    const pid = Number(name.slice(building.length).split("-")[0]);
    if (!isAlive(pid)) await rm(join(dirname(target), name), { recursive: true, force: true });
  }
  if (!(await exists(replaced))) return;
  if (await exists(target)) await rm(replaced, { recursive: true, force: true });
  else await rename(replaced, target);
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

/**
 * Begins a folder that appears whole or not at all, also when the process dies.
 *
 * @param output where it will be; its parents are created
 * @param force replaces a dataset that is there; anything else is never replaced
 * @throws AtlasError ATLAS_FILE_UNWRITABLE
 */
export async function newFolder(output: string, force: boolean): Promise<NewFolder> {
  const target = resolve(output);
  const { building, replaced } = names(target);
  const home = join(dirname(target), `${building}${process.pid}-${randomUUID().slice(0, 8)}`);
  const content = join(home, "content");
  const scratch = join(home, "scratch");
  const discard = (): Promise<void> => rm(home, { recursive: true, force: true });
  try {
    await mkdir(dirname(target), { recursive: true });
    await tidy(target);
    await refuseToReplace(target, force);
    await mkdir(content, { recursive: true });
    await mkdir(scratch, { mode: 0o700 });
  } catch (error) {
    throw explainWrite(target, error);
  }
  return {
    content,
    scratch,
    async publish() {
      try {
        await syncFolder(content);
        await refuseToReplace(target, force);
        const old = await exists(target);
        if (old) await rename(target, replaced);
        await rename(content, target).catch(async (error: unknown) => {
          if (old) await rename(replaced, target);
          throw error;
        });
        await syncFolder(dirname(target));
        if (old) await rm(replaced, { recursive: true, force: true });
      } catch (error) {
        throw explainWrite(target, error);
      }
      await discard();
      return target;
    },
    discard,
  };
}
