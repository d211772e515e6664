import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { BuildOptions, BuiltDataset } from "../../../app/datasets.ts";
import { buildFromLog } from "../../../sinks/datasets/build-dataset.ts";
import type { LineFormat } from "../../../sinks/datasets/format.ts";
import type { ListedSession } from "../../../sinks/datasets/manifest.ts";
import { folderForTest, opened } from "../../app/opened.ts";
import { eventsOf } from "../../as-readers.ts";
import { eventually } from "../../eventually.ts";
import { sessionId, sessionWriter } from "../../traces/sessions.ts";
import { built, erased, filled, told, upTo } from "./filled.ts";

const linesOf = (folder: string, name: string): string[] =>
  readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1);

const listed = (folder: string): ListedSession[] =>
  linesOf(folder, "sessions.ndjson").map((line) => JSON.parse(line) as ListedSession);

const partsOf = (folder: string): Map<string, string | null> =>
  new Map(listed(folder).map(({ session_id, split }) => [session_id, split]));

const idsOf = (folder: string): string[] => listed(folder).map(({ session_id }) => session_id);

const SPLIT = { train: 0.7, eval: 0.3 };

describe("a dataset", () => {
  test("holds approved sessions, newest first, and says in the log what it holds", async () => {
    const atlas = await filled(upTo(6));
    await atlas.log.append(told(7, { decision: "quarantined" }).map(atlas.log.mask));
    const { folder, manifest } = await built(atlas);
    expect(idsOf(folder)).toEqual([6, 5, 4, 3, 2, 1].map((number) => sessionId(`dataset ${number}`)));
    expect(readdirSync(folder).sort()).toEqual([
      "README.md",
      "data.jsonl",
      "manifest.json",
      "sessions.ndjson",
    ]);
    expect(readdirSync(dirname(folder))).toEqual([basename(folder)]);
    expect(manifest).toMatchObject({
      sessions: 6,
      records: 6,
      format: "atlas",
      split: null,
      left_out: { filtered: 1, incomplete: 0, erased: 0, duplicate: 0 },
      derivations: [{ processor: "drift" }, { processor: "review" }, { processor: "session-rewards" }],
    });
    expect(manifest.schemas.map(({ name }) => name)).toContain("SessionStarted");
    const [event, ...others] = await eventsOf(atlas.log, "atlas.learning", "DatasetBuilt");
    expect(others).toEqual([]);
    expect(event).toMatchObject({ output: folder, digest: manifest.digest, records: 6 });
    expect(JSON.parse(event!.manifest)).toMatchObject({ checksum: manifest.checksum });
  });

  test("takes what is asked for", async () => {
    const atlas = await filled(upTo(10));
    const asked = async (where: object): Promise<number[]> => {
      const { folder } = await built(atlas, { where });
      const ids = new Set(idsOf(folder));
      return upTo(10).filter((number) => ids.has(sessionId(`dataset ${number}`)));
    };
    expect(await asked({ minReward: 0.75 })).toEqual([3, 4, 8, 9]);
    expect(await asked({ minReward: 0.5, maxReward: 0.5 })).toEqual([2, 7]);
    expect(await asked({ learningKey: "key 3" })).toEqual([3]);
    expect(await asked({ createdBefore: new Date(1_700_000_000_000 + 3.5 * 60_000) })).toEqual([1, 2, 3]);
    expect(await asked({ sessionIds: [sessionId("dataset 4")] })).toEqual([4]);
    await expect(built(atlas, { where: { learningKey: "nobody's" } })).rejects.toMatchObject({
      code: "ATLAS_NOTHING_TO_EXPORT",
    });
  });

  test("leaves out what is not whole, and what was erased, and counts both", async () => {
    const atlas = await filled(upTo(3));
    const torn = told(4).filter((_, index) => index !== 5);
    await atlas.log.append(torn.map(atlas.log.mask));
    await atlas.log.append([erased(1)].map(atlas.log.mask));
    const { folder, manifest } = await built(atlas);
    expect(manifest.left_out).toMatchObject({ incomplete: 1, erased: 1 });
    expect(idsOf(folder)).toHaveLength(2);
    const all = await built(atlas, { where: { includeIncomplete: true } });
    expect(all.manifest.sessions).toBe(3);
  });

  test("knows nothing after its end, and of sessions that began before its start", async () => {
    const folder = folderForTest();
    const atlas = await filled(upTo(4), folder);
    const ends = (await atlas.log.ends(["atlas.sessions"]))
      .get("atlas.sessions")!
      .reduce((a, b) => Math.max(a, b));
    const between = new Date();
    await eventually(() => expect(Date.now()).toBeGreaterThan(between.getTime() + 1), 2);
    await atlas.log.append([5, 6].flatMap((number) => told(number)).map(atlas.log.mask));
    const until = await built(atlas, { until: between });
    expect(until.manifest.sessions).toBe(4);
    const from = await built(atlas, { from: between });
    expect(idsOf(from.folder)).toEqual([6, 5].map((number) => sessionId(`dataset ${number}`)));
    expect((await built(atlas, { until: ends * 100 })).manifest.sessions).toBe(6);
    await expect(built(atlas, { until: 0 })).rejects.toMatchObject({ code: "ATLAS_NOTHING_TO_EXPORT" });
    await expect(built(atlas, { from: -1 })).rejects.toMatchObject({ code: "ATLAS_FILTER_INVALID" });
  });
});

test("a build that sorts on disk gives the bytes of one in memory, and keeps no more than it may", async () => {
  const atlas = await filled(upTo(40));
  // Twins under keys of every part: some are held out, and the others repeat them.
  const twins = upTo(20).flatMap((number) =>
    told(100 + number, { task: "The same task", learningKey: `twin ${number}` }),
  );
  await atlas.log.append(twins.map(atlas.log.mask));
  const kept = { most: 0 };
  const build = (characters?: number): Promise<BuiltDataset> =>
    buildFromLog(
      atlas.log,
      { output: join(folderForTest(), "data"), split: SPLIT, shards: 2 },
      { name: "test", version: "1" },
      {
        characters,
        onKept: (now) => {
          kept.most = Math.max(kept.most, now);
        },
      },
    );
  const most = 2000;
  const small = await build(most);
  expect(kept.most).toBeLessThanOrEqual(most);
  const large = await build();
  expect(kept.most).toBeGreaterThan(3 * most);
  expect(small.manifest.duplicates.length).toBeGreaterThan(0);
  // Both read what the log held when they began: all but what the first one said in it.
  for (const name of readdirSync(small.folder).filter((name) => name !== "manifest.json"))
    expect(readFileSync(join(small.folder, name))).toEqual(readFileSync(join(large.folder, name)));
  const { positions: _one, checksum: _two, ...manifest } = large.manifest;
  expect(small.manifest).toMatchObject(manifest);
  expect(readdirSync(dirname(small.folder))).toEqual([basename(small.folder)]);
});

describe("a divided dataset", () => {
  test("keeps every session in its part while it grows, and a learning key in one part", async () => {
    const atlas = await filled(upTo(60));
    const small = await built(atlas, { split: SPLIT });
    await atlas.log.append(
      upTo(120)
        .slice(60)
        .flatMap((number) => told(number))
        .map(atlas.log.mask),
    );
    const large = await built(atlas, { split: SPLIT });
    const [before, after] = [partsOf(small.folder), partsOf(large.folder)];
    expect(new Set(after.values())).toEqual(new Set(["train", "eval"]));
    for (const [id, part] of before) expect(after.get(id)).toBe(part);
    const byKey = Map.groupBy(listed(large.folder), ({ learning_key }) => learning_key);
    for (const sessions of byKey.values()) expect(new Set(sessions.map(({ split }) => split)).size).toBe(1);
    const other = await built(atlas, { split: SPLIT, seed: 7 });
    expect(partsOf(other.folder)).not.toEqual(after);
  });

  test("divides sessions of one learning key where it is told to", async () => {
    const atlas = await filled(upTo(60));
    const { folder } = await built(atlas, { split: SPLIT, splitBy: "session" });
    const parts = [...partsOf(folder).values()].filter((part) => part === "eval").length;
    expect(parts).toBeGreaterThan(8);
    expect(parts).toBeLessThan(30);
  });

  test("does not train on what it holds out, and lists what that cost", async () => {
    const atlas = await filled(upTo(30));
    // The same task and answer under keys of every part.
    await atlas.log.append(
      upTo(30)
        .flatMap((number) => told(100 + number, { task: "The same task", learningKey: `twin ${number}` }))
        .map(atlas.log.mask),
    );
    const { folder, manifest } = await built(atlas, { split: SPLIT });
    const parts = partsOf(folder);
    const twins = upTo(30).map((number) => sessionId(`dataset ${100 + number}`));
    const held = twins.filter((id) => parts.get(id) === "eval");
    expect(held.length).toBeGreaterThan(0);
    expect(twins.filter((id) => parts.get(id) === "train")).toEqual([]);
    expect(manifest.duplicates.map(({ session_id }) => session_id).sort()).toEqual(
      twins.filter((id) => !parts.has(id)).sort(),
    );
    expect(new Set(manifest.duplicates.map(({ of }) => of))).toEqual(new Set([[...held].sort()[0]]));
    expect(manifest.left_out.duplicate).toBe(manifest.duplicates.length);
  });

  test("has as many files as it is told, with all sessions in them", async () => {
    const atlas = await filled(upTo(40));
    const { folder, manifest } = await built(atlas, { split: SPLIT, shards: 3 });
    expect(manifest.files.map(({ name }) => name)).toEqual(
      ["train", "eval"].flatMap((part) => [0, 1, 2].map((shard) => `${part}-0000${shard}-of-00003.jsonl`)),
    );
    const lines = manifest.files.flatMap(({ name }) => linesOf(folder, name));
    expect(lines).toHaveLength(40);
    const whole = await built(atlas);
    expect([...lines].sort()).toEqual(linesOf(whole.folder, "data.jsonl").sort());
  });

  const NONSENSE: [options: Partial<BuildOptions>, words: string][] = [
    [{ split: {} }, "at least one part"],
    [{ split: { train: 0.5 } }, "come to 0.5"],
    [{ split: { "../x": 1 } }, "no name of a part"],
    [{ split: { manifest: 1 } }, "no name of a part"],
    [{ split: { train: 2, eval: -1 } }, "the share of train is 2"],
    [{ split: { train: 1 }, seed: 0.5 }, "the seed is 0.5"],
    [{ shards: 0 }, "shards is 0"],
    [{ where: { minReward: Number.NaN } }, "minReward is NaN"],
  ];

  test("refuses what is no division", async () => {
    const atlas = await filled([1]);
    for (const [options, words] of NONSENSE)
      await expect(built(atlas, options), words).rejects.toMatchObject({
        code: "ATLAS_FILTER_INVALID",
        message: expect.stringContaining(words),
      });
  });
});

describe("the folder of a dataset", () => {
  test("is never taken from anything else, and from a dataset only by force", async () => {
    const atlas = await filled(upTo(2));
    const output = join(folderForTest(), "data");
    mkdirSync(output);
    await built(atlas, { output });
    await expect(built(atlas, { output })).rejects.toMatchObject({
      code: "ATLAS_FILE_UNWRITABLE",
      message: "there is a dataset already",
    });
    await atlas.log.append(told(3).map(atlas.log.mask));
    expect((await built(atlas, { output, force: true })).manifest.sessions).toBe(3);
    expect(readdirSync(dirname(output))).toEqual(["data"]);
    const other = folderForTest();
    writeFileSync(join(other, "thesis.txt"), "mine");
    await expect(built(atlas, { output: other, force: true })).rejects.toMatchObject({
      code: "ATLAS_FILE_UNWRITABLE",
    });
    expect(readdirSync(other)).toEqual(["thesis.txt"]);
  });

  test("does not appear where the build is interrupted or fails", async () => {
    const atlas = await filled(upTo(3));
    const output = join(folderForTest(), "data");
    const controller = new AbortController();
    const reason = new Error("enough");
    const interrupted = built(atlas, {
      output,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(interrupted).rejects.toBe(reason);
    const failing: LineFormat = {
      name: "failing",
      extension: "txt",
      encode: () => {
        throw new Error("no encoder");
      },
    };
    await expect(built(atlas, { output, format: failing })).rejects.toThrow("no encoder");
    expect(existsSync(output)).toBe(false);
    expect(readdirSync(dirname(output))).toEqual([]);
  });
});

test("a format of one's own is a name, an extension and a function", async () => {
  const atlas = await filled(upTo(3));
  const tasks: LineFormat = {
    name: "tasks",
    extension: "txt",
    encode: ({ started }) => (started!.task.endsWith("2") ? [] : [started!.task]),
    reasonAgainst: () => "not-wanted",
  };
  const { folder, manifest } = await built(atlas, { format: tasks });
  expect(linesOf(folder, "data.txt")).toEqual(["Count dataset 3", "Count dataset 1"]);
  expect(manifest).toMatchObject({ sessions: 3, records: 2, without_records: { "not-wanted": 1 } });
  await expect(built(atlas, { format: "xml" })).rejects.toMatchObject({ code: "ATLAS_USAGE" });
});

test("a format that has nothing of any session is refused with the reasons", async () => {
  const atlas = await opened(folderForTest(), {}, { consumers: false });
  const { events, emit } = sessionWriter("silent");
  emit("SessionStarted", { task: "t", learning_key: "k", agent: "a" });
  emit("SessionEnded", { learning_key: "k", status: "succeeded", final_answer: "x" });
  await atlas.log.append(events.map(atlas.log.mask));
  const where = { reviewStatusFilters: "all" } as const;
  const failure = built(atlas, { where, format: "trl-preference" });
  await expect(failure).rejects.toMatchObject({
    code: "ATLAS_NOTHING_TO_EXPORT",
    message: expect.stringContaining("no-rejected-attempt (1 sessions)"),
  });
});
