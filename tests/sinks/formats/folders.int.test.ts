import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { type BuildOptions, buildDataset, type DatasetManifest } from "../../../app/datasets.ts";
import type { Atlas } from "../../../app/open-atlas.ts";
import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { folderForTest, opened } from "../../app/opened.ts";
import { pythonFor } from "../../services/python.ts";
import { factsOf } from "../../traces/sessions.ts";
import { told, upTo } from "../datasets/filled.ts";
import { call, manySessions, recordedTrace, result, rollout, said, user } from "./format-sessions.ts";

type Row = Record<string, unknown>;

interface Seen {
  rows: { same: Record<string, Row[]>; other: Record<string, Row[]> };
  joined: number;
  types: Record<string, string>;
}

const python = await pythonFor("readers", "loading folders of datasets");

/** One path after the other is null, empty or whole in the newer sessions, and something else in the older ones. */
function unlike(): AtlasEvent[] {
  const conversations = [
    recordedTrace([user("Hi"), said("Hello")]),
    recordedTrace([
      user("Weather in Rome?"),
      said(null, call("a", "weather", '{"city":"Rome","days":1}'), call("b", "log", "{}")),
      result("a", "warm"),
      result("b", ""),
      said("Warm."),
    ]),
  ];
  const groups = [0, 1, 0.4].map((score, number) => rollout("g", number, score));
  // A log refuses some of the hostile texts.
  const many = manySessions().filter(({ started }) => started!.agent !== "../../x");
  return [...conversations, ...many, ...groups].flatMap((trace) => [
    ...trace.events,
    ...(trace.judgements.length === 0 ? [] : factsOf(trace.events)),
  ]);
}

async function logOfAll(): Promise<Atlas> {
  const atlas = await opened(folderForTest(), {}, { consumers: false });
  await atlas.log.append([...upTo(12).flatMap((number) => told(number)), ...unlike()].map(atlas.log.mask));
  return atlas;
}

const WHERE = { reviewStatusFilters: "all", includeIncomplete: true } as const;
const DIVIDED = { split: { train: 0.5, "held-out": 0.4, never: 1e-9, rest: 0.1 - 1e-9 }, shards: 2 } as const;

/** Two builds of one format, which have not the same values in them. */
async function twoBuilds({ log }: Atlas, root: string, format: string): Promise<DatasetManifest[]> {
  const folder = join(root, format.replaceAll(/[:=,]/g, "_"));
  mkdirSync(folder);
  const build = async (name: string, options: Partial<BuildOptions>): Promise<DatasetManifest> => {
    const all = { output: join(folder, name), format, where: WHERE, ...options };
    return (await buildDataset(log, all)).manifest;
  };
  const same = await build("same", { ...DIVIDED, splitBy: "session" });
  const other = await build("other", { where: { ...WHERE, createdAfter: new Date(1_700_000_000_000 + 1) } });
  return [same, other];
}

/** Records by part, as their files have them. */
function written(folder: string, { files }: DatasetManifest): Map<string, Row[]> {
  const rows = new Map<string, Row[]>();
  for (const { name, split } of files) {
    const lines = readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1);
    const part = (split ?? "train").replaceAll("-", "_");
    rows.set(part, [...(rows.get(part) ?? []), ...lines.map((line) => JSON.parse(line) as Row)]);
  }
  return rows;
}

/** What a reader makes of a record: keys that are missing are null. */
const without = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner: unknown) => inner ?? undefined);

const FORMATS = ["trl-messages:arguments=text", "trl-preference:arguments=text"];

describe.skipIf(!python)("folders of datasets", () => {
  test("datasets loads them, their parts and their shards, and joins two builds of one format", async () => {
    const atlas = await logOfAll();
    const root = folderForTest();
    const manifests = new Map<string, DatasetManifest[]>();
    for (const format of FORMATS)
      manifests.set(format.replaceAll(/[:=,]/g, "_"), await twoBuilds(atlas, root, format));
    const { stdout } = await promisify(execFile)(
      python!,
      [
        join(import.meta.dirname, "read_folders.py"),
        ...[...manifests.keys()].map((name) => join(root, name)),
      ],
      {
        env: { ...process.env, HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1" },
        maxBuffer: 256 * 1024 * 1024,
      },
    );
    const seen = JSON.parse(stdout) as Record<string, Seen>;
    for (const [name, [same, other]] of manifests) {
      const { rows, joined } = seen[name]!;
      expect(joined, name).toBe(same!.records + other!.records);
      expect(Object.keys(rows.other)).toEqual(["train"]);
      expect(Object.keys(rows.same).every((part) => ["train", "held_out", "rest"].includes(part))).toBe(true);
      for (const [part, records] of written(join(root, name, "same"), same!))
        expect(without(rows.same[part]), `${name} ${part}`).toEqual(without(records));
    }
    expect(manifests.get("trl-messages_arguments_text")![0]!.not_written!.length).toBeGreaterThan(2);
    expect(seen["trl-preference_arguments_text"]!.types).toMatchObject({
      group_id: expect.stringContaining("string"),
      rejected_reward: expect.stringContaining("float64"),
      chosen_attempt: expect.stringContaining("int64"),
    });
  });
});
