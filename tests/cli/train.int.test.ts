import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atlas, startAtlas } from "./from-source.ts";
import { hereServed } from "./here.ts";
import { linesOf, recorded } from "./recorded.ts";
import type { Ended } from "./user-folder.ts";

/** A training script that counts what it was given, says so, and ends as an override asks. */
const TRAIN = `
import json, os, sys, time
given = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
try:
    os.makedirs(given["output_dir"].strip("'"))
    with open(given["dataset_path"].strip("'"), encoding="utf-8") as file:
        print("training on", sum(1 for _ in file), "sessions", flush=True)
    if given.get("mode") == "slow":
        time.sleep(60)
except KeyboardInterrupt:
    print("stopping", flush=True)
    sys.exit(130)
sys.exit(int(given.get("code", "0")))
`;

async function user() {
  const { folder } = await hereServed();
  const core = join(folder, "core");
  mkdirSync(core);
  writeFileSync(join(core, "train.py"), TRAIN);
  writeFileSync(join(folder, "runs.jsonl"), linesOf([1, 2, 3].map((index) => recorded(index))));
  const env = { ATLAS_CORE_PATH: core };
  const run = (...args: string[]): Promise<Ended> => atlas(folder, args, env);
  expect(await run("import", "runs.jsonl")).toMatchObject({ code: 0 });
  // The training writes to the terminal of its process.
  const train = (...flags: string[]): Promise<Ended> => startAtlas(folder, ["train", ...flags], env).ended;
  return { folder, core, env, run, train };
}

const approve = ["review", "approve", "--all", "--status", "pending", "--yes"];

async function launches(run: (...args: string[]) => Promise<Ended>): Promise<Record<string, unknown>[]> {
  const { stdout } = await run("log", "tail", "--topic", "atlas.learning", "--json");
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { event: Record<string, unknown> }).event);
}

test("atlas train exports, trains, passes the exit code on, and notes it in the log", async () => {
  const { folder, core, run, train } = await user();
  const nothing = await run("train");
  expect(nothing).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ATLAS_NOTHING_TO_EXPORT/) });
  expect(readdirSync(join(core, "exports"))).toEqual([]);
  expect(await run(...approve)).toMatchObject({ code: 0 });

  const dry = await run("train", "--dry-run", "--output", "traces.jsonl", "--override", "hub_token=hf_1");
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  expect(dry.stdout).toContain(`cd ${core} && `);
  expect(dry.stdout).toContain(`dataset_path=${join(folder, "traces.jsonl")}`);
  expect(dry.stdout).toContain("hub_token=***");
  expect(existsSync(join(core, "results"))).toBe(false);

  const flags = [
    "--trainer-config",
    "gkd",
    "--max-samples",
    "9",
    "--override",
    "code=7",
    "--override",
    "lr=0.1",
  ];
  const ended = await train(...flags);
  expect(ended.stdout).toBe("training on 3 sessions\n");
  expect(ended.code).toBe(7);
  expect(ended.stderr).toMatch(/trainer@_global_=gkd .*dataset_max_samples=9 .*code=7 lr=0.1\n/);
  expect(ended.stderr).toMatch(/Ended with exit code 7; checkpoint .*\/core\/results\/atlas-\d{8}-\d{6}\n$/);
  expect(readdirSync(join(core, "exports"))).toHaveLength(2);

  const sample = await train("--use-sample-dataset", "--output", "sample.jsonl", "--quiet");
  expect(sample).toMatchObject({ code: 0, stdout: "training on 2 sessions\n", stderr: "" });

  await run("dataset", "build", "--output", "data", "--split", "train=0.5,eval=0.5", "--split-by", "session");
  const { files } = JSON.parse(readFileSync(join(folder, "data/manifest.json"), "utf8")) as {
    files: { split: string; sessions: number }[];
  };
  // A part that nothing fell into has no file.
  const { sessions } = files.find(({ split }) => split === "train") ?? { sessions: 0 };
  const built = await train("--dataset", "data", "--quiet");
  expect(built.stdout).toBe(sessions === 0 ? "" : `training on ${sessions} sessions\n`);

  expect(await launches(run)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: "TrainingLaunched" }),
      expect.objectContaining({ type: "TrainingEnded", exit_code: 7 }),
    ]),
  );
});

test("Ctrl-C goes to the training, and how it ended is noted", async () => {
  const { folder, env, run } = await user();
  await run(...approve);
  const { child, ended } = startAtlas(folder, ["train", "--override", "mode=slow"], env);
  await once(child.stdout!, "data");
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/stopping\n$/);
  expect(await launches(run)).toContainEqual(
    expect.objectContaining({ type: "TrainingEnded", exit_code: 130 }),
  );
});

test("what cannot be trained on is refused before anything starts", async () => {
  const { core, run } = await user();
  await run(...approve);
  await run("dataset", "build", "--output", "chat", "--format", "openai-chat");
  await run("dataset", "build", "--output", "sharded", "--shards", "3");
  const refused: [args: string[], code: number, words: RegExp][] = [
    [["--atlas-core-path", "nowhere"], 2, /^ATLAS_CORE_NOT_FOUND: there is no such folder/],
    [["--eval-ratio", "1"], 2, /"1" is not a share from 0 to below 1 \(--eval-ratio\)/],
    [["--max-samples", "some"], 2, /"some" is not a whole number from 1/],
    [["--dataset", "chat"], 1, /^ATLAS_DATASET_INVALID: the dataset is in the format openai-chat/],
    [["--dataset", "sharded"], 1, /^ATLAS_DATASET_INVALID: Atlas Core reads one file/],
    [["--dataset", "none"], 1, /^ATLAS_FILE_UNREADABLE/],
    [["--dataset", "chat", "--use-sample-dataset"], 2, /exclude each other/],
    [["--python", "/nowhere/python"], 1, /ATLAS_TRAINING_FAILED: it could not be started/],
    [["--min-reward", "high"], 2, /"high" is not a number/],
  ];
  for (const [args, code, words] of refused)
    expect(await run("train", "--quiet", ...args), args.join(" ")).toMatchObject({
      code,
      stderr: expect.stringMatching(words),
    });
  expect(existsSync(join(core, "results"))).toBe(false);
});
