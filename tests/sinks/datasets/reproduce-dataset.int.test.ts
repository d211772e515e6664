import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { diffDatasets, reproduceDataset, verifyDataset } from "../../../app/datasets.ts";
import { reproduceFromLog } from "../../../sinks/datasets/reproduce-dataset.ts";
import { folderForTest } from "../../app/opened.ts";
import { factsOf, sessionId } from "../../traces/sessions.ts";
import { built, erased, filled, told, upTo } from "./filled.ts";

const bytesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));

describe("reproducing a dataset", () => {
  test("gives the same bytes, whatever the log has got since", async () => {
    const atlas = await filled(upTo(20));
    const split = { train: 0.7, eval: 0.3 };
    const first = await built(atlas, { split, shards: 2, seed: 3 });
    await atlas.log.append([21, 22].flatMap((number) => told(number)).map(atlas.log.mask));
    await built(atlas);
    const output = join(folderForTest(), "again");
    const result = await reproduceDataset(atlas.log, first.manifestPath, { output });
    expect(result).toMatchObject({ identical: true, sameRecords: true, changedFiles: [], folder: output });
    expect(bytesOf(output)).toEqual(bytesOf(first.folder));
    expect(await reproduceDataset(atlas.log, first.folder)).not.toHaveProperty("folder");
  });

  test("works from a copied log, and from no other", async () => {
    const here = folderForTest();
    const atlas = await filled(upTo(5), here);
    const { folder } = await built(atlas);
    await atlas.close();
    const there = folderForTest();
    cpSync(join(here, ".atlas"), join(there, ".atlas"), { recursive: true });
    const copy = await filled([], there);
    expect(await reproduceDataset(copy.log, folder)).toMatchObject({ identical: true });
    const other = await filled([1, 2, 3, 4, 6]);
    await expect(reproduceDataset(other.log, folder)).rejects.toMatchObject({
      code: "ATLAS_DATASET_LOG_CHANGED",
    });
    const shorter = await filled([1]);
    await expect(reproduceDataset(shorter.log, folder)).rejects.toMatchObject({
      code: "ATLAS_DATASET_LOG_CHANGED",
    });
  });

  test("does not bring back what was erased", async () => {
    const atlas = await filled(upTo(3));
    const { folder } = await built(atlas);
    await atlas.log.append([erased(2)].map(atlas.log.mask));
    const output = join(folderForTest(), "again");
    await expect(reproduceDataset(atlas.log, folder, { output })).rejects.toMatchObject({
      code: "ATLAS_DATASET_ERASED",
      where: sessionId("dataset 2"),
    });
    expect(existsSync(output)).toBe(false);
    expect((await built(atlas)).manifest.sessions).toBe(2);
  });

  test("lets the records decide where the package is another version", async () => {
    const atlas = await filled(upTo(3));
    const { folder } = await built(atlas);
    const other = { name: "atlas-sdk", version: "99.0.0" };
    const result = await reproduceFromLog(atlas.log, folder, {}, other);
    expect(result).toMatchObject({ sameRecords: true, versions: { here: "99.0.0" } });
  });
});

describe("verifying a dataset", () => {
  const broken: [string, (folder: string) => void, string][] = [
    ["a longer file", (folder) => appendFileSync(join(folder, "data.jsonl"), "\n"), "ATLAS_DATASET_TAMPERED"],
    ["a missing file", (folder) => rmSync(join(folder, "data.jsonl")), "ATLAS_DATASET_TAMPERED"],
    [
      "another character",
      (folder) => {
        const path = join(folder, "data.jsonl");
        writeFileSync(path, readFileSync(path, "utf8").replace("Count", "Couns"));
      },
      "ATLAS_DATASET_TAMPERED",
    ],
    ["another card", (folder) => appendFileSync(join(folder, "README.md"), "\n"), "ATLAS_DATASET_TAMPERED"],
    [
      "another list of sessions",
      (folder) => appendFileSync(join(folder, "sessions.ndjson"), "{}\n"),
      "ATLAS_DATASET_TAMPERED",
    ],
    [
      "another manifest",
      (folder) => {
        const path = join(folder, "manifest.json");
        writeFileSync(path, readFileSync(path, "utf8").replace('"sessions": 2', '"sessions": 3'));
      },
      "ATLAS_DATASET_INVALID",
    ],
    ["no JSON", (folder) => writeFileSync(join(folder, "manifest.json"), "{"), "ATLAS_DATASET_INVALID"],
    ["another JSON", (folder) => writeFileSync(join(folder, "manifest.json"), "[]"), "ATLAS_DATASET_INVALID"],
    ["no manifest", (folder) => rmSync(join(folder, "manifest.json")), "ATLAS_FILE_UNREADABLE"],
  ];

  test("tells what is not as it was written", async () => {
    const atlas = await filled([1, 2]);
    const { folder } = await built(atlas);
    expect(await verifyDataset(folder)).toMatchObject({ folder, manifest: { sessions: 2 } });
    for (const [name, breakIt, code] of broken) {
      const copy = join(folderForTest(), "data");
      cpSync(folder, copy, { recursive: true });
      breakIt(copy);
      await expect(verifyDataset(copy), name).rejects.toMatchObject({ code });
    }
  });
});

test("a comparison names what came, what went and what moved", async () => {
  const atlas = await filled(upTo(6));
  const before = await built(atlas, { where: { createdBefore: new Date(1_700_000_000_000 + 5.5 * 60_000) } });
  const [rewarded] = factsOf(
    told(4).filter(({ meta }) => meta.source === meta.session_id),
    { score: 0.125, revision: 1 },
  );
  await atlas.log.append([rewarded!].map(atlas.log.mask));
  const after = await built(atlas, { where: { createdAfter: new Date(1_700_000_000_000 + 1.5 * 60_000) } });
  const id = (number: number): string => sessionId(`dataset ${number}`);
  expect(await diffDatasets(before.folder, after.manifestPath)).toMatchObject({
    added: [{ session_id: id(6) }],
    removed: [{ session_id: id(1) }],
    rewardsMoved: [{ session_id: id(4), reward: [1, 0.125] }],
    splitsMoved: [],
    otherwiseChanged: [],
    unchanged: 3,
  });
  expect(await diffDatasets(before.folder, before.folder)).toMatchObject({ added: [], unchanged: 5 });
  expect(basename(dirname(after.manifestPath))).toBe("data");
});
