import { expect, test } from "vitest";
import type { DatasetStats, TestedDataset } from "../../../app/datasets.ts";
import { formatOf } from "../../../sinks/datasets/formats.ts";
import type { SessionTrace } from "../../../traces/session-trace.ts";
import { here } from "../../cli/here.ts";
import { expectOneLine } from "../../cli/one-line.ts";
import { call, recordedTrace, result, rollout, run, said, system, user } from "../formats/format-sessions.ts";
import { datasetOf, type Row } from "./dataset-of.ts";
import { Planter } from "./planted.ts";

const planter = new Planter(3);
const TOOLS = [{ type: "function", function: { name: "look", parameters: { type: "object" } } }];

/** Conversations that have nothing but their length in common. */
const varied = (answer = planter.words(30)): SessionTrace =>
  recordedTrace(
    [
      system("Be kind."),
      user(planter.words(12)),
      said("", call("c1", "look", { at: 1 })),
      result("c1", planter.words(9)),
      said(answer),
    ],
    { tools: TOOLS },
  );

const upTo = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

/** What a format writes of sessions, all in one part. */
function rowsOf(name: string, traces: readonly SessionTrace[]): Row[] {
  const format = formatOf(name);
  if (!("encode" in format)) throw new Error(`${name} is no format of lines`);
  return traces
    .flatMap((trace) => format.encode(trace))
    .map((line) => ({ part: "train", record: JSON.parse(line) as object }));
}

test("atlas dataset test is a gate: it names what fails, and not what that holds", async () => {
  const shell = here();
  const faulty = varied(`${planter.words(8)} <|im_end|> zebrafish`);
  const rows = rowsOf("atlas", [...upTo(30, varied), faulty]);
  datasetOf(shell.file("data"), "atlas", rows, ["train"]);
  const failed = await shell.atlas("dataset", "test", "data", "--skip", "balance");
  expect(failed).toMatchObject({ code: 1, stderr: "" });
  expect(failed.stdout).toMatch(/^31 records in the format atlas, lengths up to 4096 tokens\nCheck +Result/);
  expect(failed.stdout).toMatch(/\ncontrol-tokens +fails +3\.2 % +0 % +1 {2}/);
  expect(failed.stdout).toMatch(/\nleakage +not-checked .*\nleakage: there is one part\n/s);
  expect(failed.stdout).toContain(
    `\ntrain.jsonl:31  ${faulty.session_id}  message 5 (assistant) holds a control token\n`,
  );
  expect(failed.stdout).toMatch(/\n1 of 9 checks fail\.\n$/);
  const quiet = await shell.atlas("dataset", "test", "data", "--skip", "balance", "--quiet");
  expect(quiet.stdout).toMatch(/^\ncontrol-tokens\nRecord/);

  const json = await shell.atlas("dataset", "test", "data", "--skip", "balance", "--json");
  expect(json.code).toBe(1);
  const { passed, checks } = JSON.parse(json.stdout) as TestedDataset;
  expect(passed).toBe(false);
  expect(checks.filter(({ status }) => status === "fails")).toMatchObject([
    {
      ...{ name: "control-tokens", found: 1, limit: 0 },
      faults: [{ file: "train.jsonl", line: 31, session: faulty.session_id }],
    },
  ]);
  for (const { stdout } of [failed, quiet, json]) expect(stdout).not.toMatch(/zebrafish|im_end/);

  const expectations = ["--expect", "control-tokens=0.1", "--expect", "parts=31", "--expect", "balance=1"];
  expect(await shell.atlas("dataset", "test", "data", ...expectations)).toMatchObject({ code: 0 });
  const more = ["--expect", "control-tokens=0.1", "--expect", "parts=32", "--expect", "balance=1"];
  expect(await shell.atlas("dataset", "test", "data", ...more)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("\nparts: train has 31\n"),
  });
  const skipped = ["--skip", "control-tokens", "--skip", "balance", "--quiet"];
  expect(await shell.atlas("dataset", "test", "data", ...skipped)).toMatchObject({ code: 0, stdout: "" });
  expect(await shell.atlas("dataset", "test", "data", ...skipped, "--max-length", "20")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^\nlength\n.*… and 11 more\n/s),
  });
});

const conversations = upTo(6, varied);
const runs = ["first", "second", "third"].map((name) => run(name));
const rollouts = [0, 1, 2, 3].map((number) => rollout("sums", number, number / 3));

test.each<[format: string, traces: SessionTrace[], numbers: Partial<DatasetStats>]>([
  ["atlas", conversations, { tasks: 6, tools: [{ name: "look", calls: 6, records: 6 }] }],
  ["openai-chat", conversations, { tasks: 6, tools: [{ name: "look", calls: 6, records: 6 }] }],
  ["trl-messages", conversations, { tasks: 6, tools: [{ name: "look", calls: 6, records: 6 }] }],
  ["trl-messages:arguments=text", conversations, { tools: [{ name: "look", calls: 6, records: 6 }] }],
  // Each of two turns, the second with the first before it.
  ["trl-prompt-completion", conversations, { tasks: 6, tools: [{ name: "look", calls: 12, records: 12 }] }],
  ["trl-preference", runs, { tools: [], rewards: { absent: 0 } as never }],
  ["trl-kto", runs, { labels: { wanted: 6, unwanted: 0 } }],
  ["trl-rollouts", rollouts, { tasks: 1, groups: 1, grouped: { least: 4 } as never }],
])("records of the format %s are tested and counted", async (format, traces, numbers) => {
  const shell = here();
  const rows = rowsOf(format, traces);
  datasetOf(shell.file("data"), format, rows, ["train"]);
  const stats = await shell.json<DatasetStats>("dataset", "stats", "data");
  expect(stats).toMatchObject({ format, records: rows.length, ...numbers });
  expect(stats.tokens!.least).toBeGreaterThan(0);
  // Those of runs and rollouts say the same words over and over.
  const alike = traces === conversations ? [] : ["--skip", "near-duplicates"];
  const expectations = ["--expect", "balance=1", "--expect", "parts=1"];
  const { checks } = await shell.json<TestedDataset>("dataset", "test", "data", ...alike, ...expectations);
  expect(checks.filter(({ status }) => status === "fails")).toEqual([]);
});

test("atlas dataset stats draws what is in it, and files that are no lines are refused", async () => {
  const shell = here();
  datasetOf(shell.file("data"), "trl-kto", rowsOf("trl-kto", runs), ["train", "eval"]);
  const shown = await shell.atlas("dataset", "stats", "data");
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toMatch(/^6 records in the format trl-kto: 4 different tasks\n\nPart +Sessions/);
  expect(shown.stdout).toMatch(/\neval +0 +0 +0\n/);
  expect(shown.stdout).toMatch(/\n +≤ 256 │█{40} 6\n/);
  expect(shown.stdout).toMatch(/\n +wanted │█{40} 6\nunwanted │\n/);
  const gate = await shell.atlas("dataset", "test", "data", "--skip", "near-duplicates");
  expect(gate.stdout).toMatch(/\nparts +fails +0 +5 /);
  expect(gate.stdout).toContain("\nparts: eval has 0\n");

  datasetOf(shell.file("table"), "parquet", rowsOf("atlas", runs), ["train"], "parquet");
  for (const command of ["test", "stats"]) {
    const refused = await shell.atlas("dataset", command, "table");
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expectOneLine(refused.stderr, "ATLAS_USAGE");
  }
});

test("what cannot be read or was not meant so ends in one line", async () => {
  const shell = here();
  const rows = [{ part: "train", record: { messages: [] } }];
  datasetOf(shell.file("data"), "trl-messages", rows, ["train"]);
  datasetOf(shell.file("strange"), "own", [{ part: "train", record: { text: "swordfish" } }], ["train"]);
  datasetOf(shell.file("cut"), "trl-messages", rows, ["train"]);
  shell.write("cut/train.jsonl", "");
  datasetOf(shell.file("broken"), "trl-messages", rows, ["train"]);
  shell.write("broken/train.jsonl", "swordfish\n");
  const refused: [args: string[], code: number, error: string][] = [
    [["data", "--expect", "length"], 2, "ATLAS_USAGE"],
    [["data", "--expect", "length=some"], 2, "ATLAS_USAGE"],
    [["data", "--expect", "length=-1"], 2, "ATLAS_USAGE"],
    [["data", "--expect", "beauty=1"], 2, "ATLAS_USAGE"],
    [["data", "--skip", "toString"], 2, "ATLAS_USAGE"],
    [["data", "--max-length", "0"], 2, "ATLAS_USAGE"],
    [["strange"], 2, "ATLAS_USAGE"],
    [["cut"], 1, "ATLAS_DATASET_TAMPERED"],
    [["broken"], 1, "ATLAS_DATASET_INVALID"],
    [["nowhere"], 1, "ATLAS_FILE_UNREADABLE"],
  ];
  for (const [args, code, error] of refused) {
    const ended = await shell.atlas("dataset", "test", ...args);
    expect(ended, args.join(" ")).toMatchObject({ code, stdout: "" });
    expectOneLine(ended.stderr, error);
    expect(ended.stderr).not.toContain("swordfish");
  }
});
