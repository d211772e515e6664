import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tryFileLock } from "../../../database/file-lock.ts";
import { newFolder } from "../../../sinks/datasets/dataset-folder.ts";
import { MANIFEST } from "../../../sinks/datasets/manifest.ts";

let folder: string;
let output: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-dataset-"));
  output = join(folder, "data");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function built(text: string, to = output): Promise<void> {
  const attempt = await newFolder(to, true);
  for (const name of ["train.jsonl", MANIFEST])
    writeFileSync(join(attempt.content, name), text, { mode: 0o600 });
  await attempt.publish();
}
const modeOf = (...path: string[]): string => (statSync(join(output, ...path)).mode & 0o777).toString(8);

test("what somebody is building is left alone, from whichever host, and what was given up is taken away", async () => {
  const [foreign, dead] = ["4194305-living", "4194305-dead"].map((name) =>
    join(folder, `.data.building-${name}`),
  );
  for (const home of [foreign!, dead!]) mkdirSync(home);
  const lock = tryFileLock(join(foreign!, "lock.sqlite"))!;
  await built("a");
  expect(readdirSync(folder).sort()).toEqual([".data.building-4194305-living", "data"]);
  lock.release();
  await built("b");
  expect(readdirSync(folder)).toEqual(["data"]);
});

test("a dataset that was about to be replaced when its builder died is put back", async () => {
  await built("old");
  const home = join(folder, ".data.building-dead");
  mkdirSync(home);
  // The builder died between the two renames.
  renameSync(output, join(home, "replaced"));
  await expect(newFolder(output, false)).rejects.toThrow("there is a dataset already");
  expect(readFileSync(join(output, MANIFEST), "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["data"]);
});

test("of several that replace a dataset at once one stays, whole, and nothing is left", async () => {
  await built("old");
  const texts = ["a", "b", "c", "d"];
  await Promise.all(texts.map((text) => built(text)));
  const [train, manifest] = ["train.jsonl", MANIFEST].map((name) => readFileSync(join(output, name), "utf8"));
  expect(texts).toContain(train);
  expect(manifest).toBe(train);
  expect(readdirSync(folder)).toEqual(["data"]);
});

test("a new dataset is its owner's alone, and one that replaces another has its modes", async () => {
  await built("a");
  expect([modeOf(), modeOf("train.jsonl"), modeOf(MANIFEST)]).toEqual(["700", "600", "600"]);
  chmodSync(output, 0o755);
  chmodSync(join(output, MANIFEST), 0o644);
  await built("b");
  expect([modeOf(), modeOf("train.jsonl"), modeOf(MANIFEST)]).toEqual(["755", "644", "644"]);
});

test("a link to a folder stays, and the folder that it leads to is replaced", async () => {
  const link = join(folder, "latest");
  symlinkSync("data", link);
  for (const text of ["first", "second"]) {
    await built(text, link);
    expect(readFileSync(join(output, MANIFEST), "utf8")).toBe(text);
  }
  expect(readdirSync(folder).sort()).toEqual(["data", "latest"]);
});
