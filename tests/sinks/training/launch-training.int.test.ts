import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { isAtlasError } from "../../../errors/atlas-error.ts";
import { coreCheckout } from "../../../sinks/training/core-checkout.ts";
import { launchTraining, shownCommand } from "../../../sinks/training/launch-training.ts";
import { trainingCommand } from "../../../sinks/training/training-command.ts";
import { folderForTest, opened } from "../../app/opened.ts";
import { eventsOf } from "../../as-readers.ts";

/** A training script: writes down what it was told, makes its checkpoint folder, and ends as the overrides say. */
const TRAIN = `
import json, os, signal, sys
given = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
with open(os.path.join(os.getcwd(), "told.json"), "w") as file:
    json.dump({"args": sys.argv[1:], "cwd": os.getcwd(), "path": os.environ.get("PYTHONPATH")}, file)
if given.get("mode") == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if given.get("mode") != "empty":
    os.makedirs(given["output_dir"])
sys.exit(int(given.get("code", "0")))
`;

function checkout(layout: "old" | "new" = "old") {
  const folder = folderForTest();
  const inside = layout === "old" ? folder : join(folder, "src", "atlas_core", "cli");
  mkdirSync(inside, { recursive: true });
  writeFileSync(join(inside, "train.py"), TRAIN);
  return coreCheckout(folder);
}

test("what was started on which data, and how it ended, is in the log", async () => {
  const atlas = await opened(folderForTest());
  const core = checkout();
  const outputDir = join(folderForTest(), "checkpoints");
  const settings = { trainerConfig: "gkd", outputDir, maxSamples: 7, overrides: ["hub_token=abc", "code=3"] };
  const command = trainingCommand(core, "traces.jsonl", settings);
  const data = { digest: "f".repeat(64), manifest: '{"sessions":2}' };
  const outcome = await launchTraining({ core, command, data, log: atlas.log, python: "python3" });

  expect(outcome).toEqual({ exitCode: 3, checkpoint: outputDir });
  const told = JSON.parse(readFileSync(join(core.path, "told.json"), "utf8")) as { args: string[] };
  expect(told.args).toEqual([
    "data@_global_=runtime_traces",
    "trainer@_global_=gkd",
    `dataset_path=${join(process.cwd(), "traces.jsonl")}`,
    "dataset_max_samples=7",
    `output_dir=${outputDir}`,
    "hub_token=abc",
    "code=3",
  ]);
  const [launched] = await eventsOf(atlas.log, "atlas.learning", "TrainingLaunched");
  const [ended] = await eventsOf(atlas.log, "atlas.learning", "TrainingEnded");
  expect(launched).toMatchObject({
    dataset_digest: data.digest,
    manifest: data.manifest,
    checkpoint: outputDir,
  });
  expect(launched!.command).toContain("hub_token=***");
  expect(launched!.command).not.toContain("abc");
  expect(ended).toMatchObject({ exit_code: 3, checkpoint: outputDir });
  expect(ended!.meta.causation_id).toBe(launched!.meta.event_id);
});

test("a training that is killed, or leaves no checkpoint, is noted as that", async () => {
  const atlas = await opened(folderForTest());
  const core = checkout("new");
  const run = (mode: string) => {
    const command = trainingCommand(core, "x.jsonl", { overrides: [`mode=${mode}`] });
    return launchTraining({ core, command, data: { digest: "0" }, log: atlas.log, python: "python3" });
  };
  expect(await run("killed")).toEqual({ exitCode: 137, checkpoint: undefined });
  expect(await run("empty")).toEqual({ exitCode: 0, checkpoint: undefined });
  const told = JSON.parse(readFileSync(join(core.path, "told.json"), "utf8")) as { path: string };
  expect(told.path.startsWith(join(core.path, "src"))).toBe(true);
  const ended = await eventsOf(atlas.log, "atlas.learning", "TrainingEnded");
  expect(ended.map(({ exit_code, signal }) => [exit_code, signal])).toEqual([
    [null, "SIGKILL"],
    [0, null],
  ]);
});

test("a Python that cannot be started is named, and noted", async () => {
  const atlas = await opened(folderForTest());
  const core = checkout();
  const command = trainingCommand(core, "x.jsonl");
  const launch = { core, command, data: { digest: "0" }, log: atlas.log, python: "/nowhere/python" };
  const failure = await launchTraining(launch).catch((error: unknown) => error);
  expect(isAtlasError(failure, "ATLAS_TRAINING_FAILED")).toBe(true);
  expect(await eventsOf(atlas.log, "atlas.learning", "TrainingEnded")).toHaveLength(1);
});

test("what is no checkout is refused, saying what is missing", () => {
  vi.stubEnv("ATLAS_CORE_PATH", "");
  expect(() => coreCheckout()).toThrow("it is not known where Atlas Core is");
  expect(() => coreCheckout("/nowhere")).toThrow("there is no such folder");
  expect(() => coreCheckout(folderForTest())).toThrow("neither train.py nor");
  vi.unstubAllEnvs();
});

test("the command that is shown can be pasted, and names the checkout's own Python", () => {
  const core = checkout("new");
  mkdirSync(join(core.path, ".venv", "bin"), { recursive: true });
  writeFileSync(join(core.path, ".venv", "bin", "python"), "");
  const command = trainingCommand(core, "/d/x.jsonl", {}, new Date("2026-01-02T03:04:05Z"));
  expect(shownCommand({ core, command })).toBe(
    `cd ${core.path} && PYTHONPATH=${core.env.PYTHONPATH} ${core.path}/.venv/bin/python -m atlas_core.cli.train ` +
      "data@_global_=runtime_traces trainer@_global_=grpo dataset_path=/d/x.jsonl " +
      `output_dir=${core.path}/results/atlas-20260102-030405`,
  );
});
