import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DatasetDiff } from "../../../app/datasets.ts";
import { type Here, here, hereServed } from "../../cli/here.ts";
import { linesOf, recorded } from "../../cli/recorded.ts";
import type { Ended } from "../../cli/user-folder.ts";
import { upTo } from "./filled.ts";

async function userWithSessions(): Promise<Here> {
  const user = await hereServed();
  user.write("runs.jsonl", linesOf(upTo(20).map((index) => recorded(index))));
  await user.json("import", "runs.jsonl");
  await user.json("review", "approve", "--all", "--status", "pending");
  return user;
}

test("atlas dataset verify names what was quarantined or erased since, where the log is", async () => {
  const user = await userWithSessions();
  await user.json("dataset", "build", "--output", "data");
  const [kept, quarantined, erased, again] = readFileSync(join(user.folder, "data/sessions.ndjson"), "utf8")
    .split("\n", 4)
    .map((line) => (JSON.parse(line) as { session_id: string }).session_id) as [
    string,
    string,
    string,
    string,
  ];
  await user.json("review", "approve", kept);
  await user.json("review", "quarantine", quarantined, again);
  await user.json("review", "approve", again);
  await user.json("sessions", "erase", erased, "--yes", "--reason", "asked for");
  const verified = await user.atlas("dataset", "verify", "data");
  expect(verified).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/^1 files with 20 sessions are what the manifest says/),
    stderr:
      `warning: 1 of them quarantined since: ${quarantined}\n` +
      `warning: 1 of them erased since: ${erased}\n`,
  });
  const json = await user.atlas("dataset", "verify", "data", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ since: { quarantined: [quarantined], erased: [erased] } });

  const elsewhere = await hereServed();
  cpSync(join(user.folder, "data"), join(elsewhere.folder, "data"), { recursive: true });
  expect(await elsewhere.atlas("dataset", "verify", "data")).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Whether .* is not known: this is log .*, and it was built from /),
  });

  // No log is made for a dataset that is only checked, nor for one that cannot be read.
  const nowhere = here();
  cpSync(join(user.folder, "data"), join(nowhere.folder, "data"), { recursive: true });
  expect(await nowhere.atlas("dataset", "verify", "data")).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/ is not known: there is no log here\n$/),
  });
  expect(await nowhere.atlas("dataset", "reproduce", "nothing")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^ATLAS_FILE_UNREADABLE: the manifest cannot be read: there is no such file/,
    ),
  });
  expect(existsSync(join(nowhere.folder, ".atlas"))).toBe(false);
});

test("atlas dataset builds, verifies, reproduces and compares", async () => {
  const user = await userWithSessions();
  const { folder } = user;
  const run = (...args: string[]): Promise<Ended> => user.atlas(...args);
  const flags = ["--split", "train=0.8,eval=0.2", "--split-by", "session", "--seed", "4", "--shards", "2"];
  const build = await run("dataset", "build", "--output", "data", ...flags);
  expect(build).toMatchObject({ code: 0, stderr: "" });
  expect(build.stdout).toMatch(/^Wrote 20 sessions as 20 records to .*\/data\nFile +Sessions +Records/);
  expect(build.stdout).toMatch(
    /eval-00001-of-00002\.jsonl +\d+ +\d+ +\d+ +[0-9a-f]{12}\n.*digest [0-9a-f]{64}\n$/s,
  );
  expect(await run("dataset", "verify", "data")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^4 files with 20 sessions are what the manifest says/),
  });
  expect(await run("dataset", "reproduce", "data/manifest.json", "--output", "again")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The same bytes: 20 sessions.*\nKept in .*\/again\n$/),
  });
  expect(readFileSync(join(folder, "again/manifest.json"))).toEqual(
    readFileSync(join(folder, "data/manifest.json")),
  );
  await run("dataset", "build", "--output", "best", "--where", "min_reward=0.5", ...flags, "--quiet");
  const compared = await run("dataset", "diff", "data", "best", "--json");
  const { removed, added, unchanged } = JSON.parse(compared.stdout) as DatasetDiff;
  expect(added).toEqual([]);
  expect(removed.every(({ reward }) => reward === null || reward < 0.5)).toBe(true);
  expect(removed.length + unchanged).toBe(20);
  expect(await run("dataset", "diff", "data", "again")).toMatchObject({
    stdout: expect.stringMatching(/^The same records in both\.\n0 added, 0 removed/),
  });
  const empty = await run("dataset", "build", "--output", "empty", "--split", "train=0.999,never=0.001");
  expect(empty).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^warning: nothing fell into never: sessions of one learning key stay/),
  });
  expect(existsSync(join(folder, "empty/never.jsonl"))).toBe(false);
  const formats = JSON.parse((await run("dataset", "formats", "--json")).stdout) as { name: string }[];
  expect(formats.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["atlas", "openai-chat", "trl-preference", "parquet"]),
  );

  const refused: [args: string[], code: number, words: RegExp][] = [
    [["build"], 2, /required option '--output/],
    [["build", "--output", "data"], 1, /^ATLAS_FILE_UNWRITABLE: there is a dataset already/],
    [["build", "--output", "x", "--where", "reward=1"], 2, /^ATLAS_USAGE: "reward=1" is no condition/],
    [["build", "--output", "x", "--where", "min_reward=high"], 2, /"high" is not a number/],
    [["build", "--output", "x", "--from", "yesterday"], 2, /"yesterday" is no time \(--from\)/],
    [["build", "--output", "x", "--split", "train"], 2, /"train" is no share/],
    [["build", "--output", "x", "--split", "train=0.5"], 2, /^ATLAS_FILTER_INVALID: the shares come to 0.5/],
    [["build", "--output", "x", "--format", "xml"], 2, /there is no format "xml"/],
    [["build", "--output", "x", "--where", "tag=none"], 1, /^ATLAS_NOTHING_TO_EXPORT/],
    [["verify", "nowhere"], 1, /^ATLAS_FILE_UNREADABLE/],
    [["verify", "runs.jsonl"], 1, /^ATLAS_DATASET_INVALID/],
    [["diff", "data", "nowhere"], 1, /^ATLAS_FILE_UNREADABLE/],
    [["reproduce", "nowhere"], 1, /^ATLAS_FILE_UNREADABLE/],
  ];
  for (const [args, code, words] of refused) {
    const ended = await run("dataset", ...args);
    expect(ended, args.join(" ")).toMatchObject({ code, stderr: expect.stringMatching(words) });
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  }
});
