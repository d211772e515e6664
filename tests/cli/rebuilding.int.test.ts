import { afterAll, beforeAll, expect, test } from "vitest";
import { Here } from "./here.ts";
import { tenRuns } from "./recorded.ts";

/** What `atlas rebuild --json` prints. */
interface Rebuilt {
  sessions: number;
  events: number;
  derived?: { recomputed: number; differences: number; published: number };
}

const shell = new Here();
beforeAll(async () => {
  await shell.serve();
  shell.write("runs.jsonl", tenRuns());
  await shell.json("import", "runs.jsonl");
  await shell.json("review", "approve", "--all", "--status", "pending");
  await shell.json("review", "quarantine", "3", "--note", "unclear");
  await shell.json("export", "--output", "before.jsonl");
});
afterAll(() => shell.close());

test("gives the same sessions, the same integers and the same bytes", async () => {
  const listed = await shell.json("sessions", "list");
  expect(await shell.json<Rebuilt>("rebuild")).toMatchObject({ sessions: 10 });
  expect(await shell.json("sessions", "list")).toEqual(listed);
  await shell.json("export", "--output", "after.jsonl");
  expect(shell.read("after.jsonl")).toBe(shell.read("before.jsonl"));
});

test("--derived computes rewards, drift and review again, and finds them equal", async () => {
  const before = await shell.json("log", "verify");
  const { derived } = await shell.json<Rebuilt>("rebuild", "--derived");
  // Ten rewards, ten assessments, ten approvals and a quarantine.
  expect(derived).toEqual({ recomputed: 31, differences: 0, explained: 0, published: 0 });
  expect(await shell.json("log", "verify")).toEqual(before);
  await shell.json("export", "--output", "again.jsonl");
  expect(shell.read("again.jsonl")).toBe(shell.read("before.jsonl"));
  const { stdout } = await shell.atlas("rebuild", "--derived");
  expect(stdout).toContain("31 derived events again: all equal those in the log");
});

test("--topics names what is derived, with --derived, and tells what was put back", async () => {
  const { stdout } = await shell.atlas("rebuild", "--derived", "--topics", "rewards,atlas.drift");
  expect(stdout).toContain(
    "atlas.rewards holds all that was derived.\natlas.drift holds all that was derived.\n",
  );
  for (const args of [
    ["--topics", "rewards"],
    ["--derived", "--topics", "rewards,,drift"],
  ])
    expect(await shell.atlas("rebuild", ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--topics"),
    });
  const refused = await shell.atlas("rebuild", "--derived", "--topics", "sessions");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('no processor emits to "sessions"');
});
