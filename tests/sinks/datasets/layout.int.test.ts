import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type DatasetManifest, reproduceDataset, verifyDataset } from "../../../app/datasets.ts";
import type { Atlas } from "../../../app/open-atlas.ts";
import { packageInfo } from "../../../configs/package-info.ts";
import { follow } from "../../../sinks/datasets/build-dataset.ts";
import { formatOf } from "../../../sinks/datasets/formats.ts";
import type { ListedSession } from "../../../sinks/datasets/manifest.ts";
import type { Recipe } from "../../../sinks/datasets/recipe.ts";
import { partOf, SPLIT_KEYS } from "../../../sinks/datasets/split.ts";
import { stretchesOf } from "../../../sinks/datasets/window.ts";
import { folderForTest, opened } from "../../app/opened.ts";
import { factsOf } from "../../traces/sessions.ts";
import { rollout } from "../formats/format-sessions.ts";
import { built, filled, told, upTo } from "./filled.ts";

const SPLIT = { parts: { train: 0.6, eval: 0.399, never: 0.001 }, seed: 3 };

const listed = (folder: string): ListedSession[] =>
  readFileSync(join(folder, "sessions.ndjson"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ListedSession);

/** Forty sessions, the older half in groups of two learning keys each. */
async function withGroups(): Promise<Atlas> {
  const atlas = await filled([]);
  const events = upTo(40).flatMap((number) =>
    told(number, number > 20 ? {} : { groupId: `group ${number % 4}` }),
  );
  await atlas.log.append(events.map(atlas.log.mask));
  return atlas;
}

/** A dataset as it was built before there were cards. */
async function builtBefore({ log }: Atlas, more: Partial<Recipe>): Promise<[string, DatasetManifest]> {
  const recipe: Recipe = {
    layout: 1,
    stretches: await stretchesOf(log, {}),
    filters: {},
    branch: null,
    format: formatOf("atlas"),
    split: { ...SPLIT, by: "session" },
    shards: 1,
    log: { id: log.id, kind: log.kind },
    package: packageInfo(),
    ...more,
  };
  const { folder, manifest } = await follow(log, recipe, { output: join(folderForTest(), "data") });
  return [await folder.publish(), manifest];
}

describe("a dataset of before", () => {
  test("has the files and the parts that it had, and is built again as it was", async () => {
    const atlas = await withGroups();
    const [folder, manifest] = await builtBefore(atlas, {});
    expect(readdirSync(folder).sort()).toEqual([
      "eval.jsonl",
      "manifest.json",
      "never.jsonl",
      "sessions.ndjson",
      "train.jsonl",
    ]);
    for (const key of ["layout", "card_file", "not_written"]) expect(manifest).not.toHaveProperty(key);
    for (const { session_id, split } of listed(folder))
      expect(split).toBe(partOf({ ...SPLIT, by: "session" }, session_id));
    expect(await verifyDataset(folder)).toMatchObject({ manifest: { sessions: 40 } });
    const output = join(folderForTest(), "again");
    expect(await reproduceDataset(atlas.log, folder, { output })).toMatchObject({ identical: true });
    for (const name of readdirSync(folder))
      expect(readFileSync(join(output, name))).toEqual(readFileSync(join(folder, name)));
    expect(readdirSync(output).sort()).toEqual(readdirSync(folder).sort());
  });

  test("has pairs within a session alone", async () => {
    const atlas = await withGroups();
    const [folder, manifest] = await builtBefore(atlas, { format: formatOf("trl-preference"), split: null });
    expect(manifest.records).toBe(40);
    expect(readFileSync(join(folder, "data.jsonl"), "utf8")).not.toContain("group_id");
    expect(await reproduceDataset(atlas.log, folder)).toMatchObject({ identical: true });
  });
});

describe("a dataset with groups", () => {
  test("has each group in one part, whatever divides it, and writes no empty part", async () => {
    const atlas = await withGroups();
    const { parts, seed } = SPLIT;
    const groupOf = new Map(
      upTo(20).map((index) => [told(index)[0]!.meta.session_id as string, index % 4] as const),
    );
    for (const splitBy of SPLIT_KEYS) {
      const { folder, manifest } = await built(atlas, { split: parts, seed, splitBy });
      const partsOf = new Map<number, Set<string | null>>();
      for (const { session_id, split } of listed(folder)) {
        const group = groupOf.get(session_id);
        if (group === undefined) continue;
        partsOf.set(group, (partsOf.get(group) ?? new Set()).add(split));
      }
      expect([...partsOf.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1]);
      expect(manifest).toMatchObject({ layout: 2, split: { by: splitBy } });
      expect(manifest.not_written).toContainEqual({
        name: "never.jsonl",
        split: "never",
        shard: 0,
        sessions: 0,
      });
      expect(readdirSync(folder).sort()).toEqual(
        ["README.md", "manifest.json", "sessions.ndjson", ...manifest.files.map(({ name }) => name)].sort(),
      );
      expect(await verifyDataset(folder)).toMatchObject({ manifest: { sessions: manifest.sessions } });
      expect(await reproduceDataset(atlas.log, folder)).toMatchObject({ identical: true });
    }
  });

  test("gives pairs of each group, whatever file it falls into, and counts what gives none", async () => {
    const atlas = await opened(folderForTest(), {}, { consumers: false });
    const groups: Record<string, number[]> = {
      a: [0, 0.5, 1],
      b: [0.4, 0.45],
      c: [1],
      d: [0.2, 0.9],
      e: [1, 0.1],
    };
    const events = Object.entries(groups).flatMap(([group, scores]) =>
      scores.flatMap((score, index) => {
        const { events } = rollout(group, index, score);
        return [...events, ...factsOf(events)];
      }),
    );
    await atlas.log.append(events.map(atlas.log.mask));
    const { folder, manifest } = await built(atlas, { format: "trl-preference", shards: 3 });
    const pairs = manifest.files.flatMap(({ name }) =>
      readFileSync(join(folder, name), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { group_id: string; reward: number; rejected_reward: number }),
    );
    expect(
      pairs.map(({ group_id, reward, rejected_reward }) => [group_id, reward, rejected_reward]).sort(),
    ).toEqual([
      ["a", 1, 0],
      ["d", 0.9, 0.2],
      ["e", 1, 0.1],
    ]);
    expect(manifest).toMatchObject({
      sessions: 10,
      records: 3,
      without_records: { "alone-in-group": 1, "near-tie": 2, "neither-best-nor-worst": 1 },
    });
    expect(await reproduceDataset(atlas.log, folder)).toMatchObject({ identical: true });
  });
});

test("the card says what is in the dataset, and can be read", async () => {
  const atlas = await withGroups();
  const { folder } = await built(atlas, {
    format: "trl-messages",
    split: { train: 0.6, "held-out": 0.4 },
    where: { minReward: 0.25 },
    seed: 4,
    splitBy: "task",
  });
  const card = readFileSync(join(folder, "README.md"), "utf8");
  const [, front, body] = card.split("---\n", 3);
  expect(front).toMatch(
    /^license: unknown\nconfigs:\n- config_name: default\n {2}data_files:\n {2}- split: "train"\n {4}path:\n {4}- "train.jsonl"\n {2}- split: "held_out"\n {4}path:\n {4}- "held-out.jsonl"\ndataset_info:\n {2}features:\n {2}- name: messages\n {4}list:\n/,
  );
  expect(body).toMatch(
    /records of 32 sessions with 64 steps; 0 sessions are simulated\. It is divided by task/,
  );
  expect(body).toMatch(/\| train \| 1 \| \d+ \| \d+ \|\n\| held_out \| 1 \| \d+ \| \d+ \|/);
  expect(body).toMatch(/^0\.2-0\.3 #{40} 8$/m);
  expect(body).toMatch(/^none {5} +0$/m);
  expect(body).toContain('"minReward": 0.25');
  expect(body).toContain("- filtered: 8");
  expect(body).toContain('load_dataset("path/to/this/folder")');
  expect(body).toContain("`arguments=text`");
  expect(body).not.toContain("undefined");
});
