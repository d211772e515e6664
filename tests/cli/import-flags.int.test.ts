import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sessionOf } from "../../intake/import/recorded-session.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { foldSession } from "../../traces/fold.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { zipOf } from "../intake/files/zip-bytes.ts";
import { header, price, stock } from "../intake/formats/fixtures/inspect-log.ts";
import { OPTIONS, recordingOf } from "../intake/import/recorded-rows.ts";
import { type Here, here, hereServed } from "./here.ts";
import { expectOneLine } from "./one-line.ts";
import { linesOf, recorded, tenRuns } from "./recorded.ts";

/** A session as `atlas sessions show --json` prints it, as far as these tests look. */
interface Shown {
  session_id: string;
  started: Record<string, string | null>;
  judgements: { score: number }[];
  created_at: number;
}

interface Summary {
  sessions: number;
  skippedSessions: number;
  otherTranslations: number;
  malformed: number;
  warnings: { file: string; line: number; reason: string }[];
  seen: { format: string; conversations: number; rewarded: number; withTools: number; grouped: number }[];
}

const TOOLS = [
  { name: "lookup", input_schema: { type: "object", properties: { order: { type: "string" } } } },
];

const shown = (shell: Here, id: string): Promise<Shown> => shell.json<Shown>("sessions", "show", id);

test.each([
  ["--reward-scale=5", "--reward-scale", "is not the worst and the best reward"],
  ["--reward-scale=1,0", "--reward-scale", "is not the worst and the best reward"],
  ["--reward-scale=0,0", "--reward-scale", "is not the worst and the best reward"],
  ["--reward-scale=a,b", "--reward-scale", "is not the worst and the best reward"],
  ["--time-zone=Europe/Atlantis", "--time-zone", "is no time zone"],
  ["--time-zone=", "--time-zone", "is no time zone"],
  ["--at=yesterday", "--at", "is not a time"],
  ["--format=csv", "--format", "there is no format"],
  ["--learning-key=", "--learning-key", "the learning key is empty"],
  ["--tools=none.txt", "none.txt", "no tools can be read"],
  ["--tools=broken.json", "broken.json", "no tools can be read"],
  ["--tools=empty.json", "--tools", "holds no tool definition"],
])("%s is one clear message, and makes no log", async (flag, where, message) => {
  const shell = here();
  // Times that name no zone are read by the flag.
  shell.write("runs.jsonl", linesOf([recorded(1, { created_at: "2025-07-01 12:00:00" })]));
  shell.write("broken.json", "[{");
  shell.write("empty.json", "[]");
  for (const more of [[], ["--dry-run"]]) {
    const { code: exit, stdout, stderr } = await shell.atlas("import", "runs.jsonl", flag, ...more);
    const isFile = message === "no tools can be read";
    expect({ exit, stdout }).toEqual({ exit: isFile ? 1 : 2, stdout: "" });
    const isKey = flag.startsWith("--learning-key");
    const code = isFile ? "ATLAS_FILE_UNREADABLE" : isKey ? "ATLAS_LEARNING_KEY_INVALID" : "ATLAS_USAGE";
    expectOneLine(stderr, code);
    expect(stderr).toContain(where);
    expect(stderr).toContain(message);
  }
  expect(existsSync(shell.file(".atlas"))).toBe(false);
});

test("flags of recordings do not go with the sessions of a Python SDK", async () => {
  const shell = here();
  shell.write("old.jsonl", "");
  for (const flag of [
    "--dry-run",
    "--again",
    "--group-by=x",
    "--time-zone=UTC",
    "--reward-scale=0,1",
    "--format=chat",
  ]) {
    const { code, stderr } = await shell.atlas("import", "--from-jsonl", "old.jsonl", flag);
    expect(code).toBe(2);
    expectOneLine(stderr, "ATLAS_USAGE");
    expect(stderr).toContain(flag.split("=")[0]);
  }
});

test("a dry run says what is in each file, as a table and as JSON, and makes no log", async () => {
  const shell = here();
  shell.write("runs.jsonl", tenRuns());
  shell.write("other.jsonl", `${linesOf([recorded(11, { reward: 7 })])}{"no": 1}\n`);
  const table = await shell.atlas("import", "runs.jsonl", "--dry-run");
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/^FILE +FORMAT +SESSIONS +MESSAGES +TOOL CALLS +REWARD +TOOLS +GROUP$/m);
  expect(table.stdout).toMatch(/^runs\.jsonl +chat +10 +20 +0 +all +none +none$/m);
  expect(table.stdout).toMatch(/Would import 10 sessions .* Nothing was imported\.$/m);
  const { code, stdout } = await shell.atlas("import", "runs.jsonl", "other.jsonl", "--dry-run", "--json");
  expect(code).toBe(3);
  const summary = JSON.parse(stdout) as Summary;
  expect(summary).toMatchObject({ sessions: 11, malformed: 1 });
  expect(summary.seen.map(({ conversations, rewarded }) => [conversations, rewarded])).toEqual([
    [10, 10],
    [1, 0],
  ]);
  expect(existsSync(shell.file(".atlas"))).toBe(false);
});

test("the samples of a log in an archive are counted, and told of, together", async () => {
  const shell = here();
  const files = [
    { name: "header.json", data: JSON.stringify(header) },
    ...[stock, price].map((sample, at) => ({
      name: `samples/${at}_epoch_1.json`,
      data: JSON.stringify(sample),
    })),
  ];
  writeFileSync(shell.file("log.eval"), zipOf(files));
  const { stdout, stderr } = await shell.atlas("import", "log.eval", "--dry-run");
  expect(stdout).toMatch(/^log\.eval +inspect +2 +9 +2 +all +1 +all$/m);
  expect(stderr).toMatch(/^log\.eval:1: eval\.dataset\.sample_ids .* left out, and 1 more like it$/m);
});

test("an empty file is told and no fault; a folder is one", async () => {
  const shell = here();
  shell.write("empty.jsonl", "");
  mkdirSync(shell.file("runs"));
  const empty = await shell.atlas("import", "empty.jsonl");
  expect(empty.code).toBe(0);
  expect(empty.stderr).toBe("empty.jsonl:1: the file is empty\n");
  const folder = await shell.atlas("import", "runs");
  expect(folder.code).toBe(1);
  expectOneLine(folder.stderr, "ATLAS_FILE_UNREADABLE");
  expect(folder.stderr).toContain("it is a folder, not a file");
  expect(existsSync(shell.file(".atlas"))).toBe(false);
});

test("tools, groups, the scale of rewards and the zone of times are what the flags say", async () => {
  const shell = await hereServed();
  const row = (index: number, reward: number) => ({
    ...recorded(index, { reward, created_at: `2025-07-0${index + 1} 12:00:00` }),
    info: { task: { id: index % 2 } },
  });
  shell.write("runs.jsonl", linesOf([row(0, -1), row(1, 1), row(2, 0), row(3, 2), recorded(4)]));
  shell.write("tools.json", JSON.stringify(TOOLS));
  const flags = [
    "--tools",
    "tools.json",
    "--group-by",
    "info.task.id",
    "--reward-scale=-1,1",
    "--time-zone",
    "Europe/Berlin",
  ];
  const summary = await shell.json<Summary>("import", "runs.jsonl", ...flags);
  expect(summary.warnings).toEqual([
    { file: "runs.jsonl", line: 4, reason: expect.stringContaining("reward lies outside -1 to 1") as string },
    {
      file: "runs.jsonl",
      line: 5,
      reason: "there is no info.task.id to group by: the session is in no group",
    },
  ]);
  expect(summary.seen).toMatchObject([{ conversations: 5, rewarded: 4, withTools: 5, grouped: 4 }]);
  const sessions = await Promise.all([1, 2, 3, 4, 5].map((id) => shown(shell, String(id))));
  const byRun = new Map(sessions.map((session) => [session.started.external_id, session]));
  const of = (index: number): Shown => byRun.get(`run-${index}`)!;
  expect([0, 1, 2, 3].map((index) => of(index).judgements[0]?.score)).toEqual([0, 1, 0.5, undefined]);
  expect([0, 1, 2, 3].map((index) => of(index).started.group_id)).toEqual(["0", "1", "0", "1"]);
  expect(JSON.parse(of(0).started.tools!)).toMatchObject([
    { type: "function", function: { name: "lookup" } },
  ]);
  expect(of(0).started.tools_source).toBe("declared");
  expect(of(0).created_at).toBe(Date.parse("2025-07-01T12:00:00+02:00") * 1000);
});

/** The line of a session as an earlier version of its format would have imported it. */
function earlierLine(row: unknown): { line: string; id: string } {
  const { events, earlier } = sessionOf(recordingOf(row), OPTIONS);
  const id = earlier.at(-1)!;
  const text = JSON.stringify(events).replaceAll(events[0]!.meta.source, id);
  const before = (JSON.parse(text) as AtlasEvent[]).map((event) => ({
    ...event,
    meta: { ...event.meta, event_id: idOf(id, event.meta.sequence) },
  }));
  return { line: encodeTrainingLine(foldSession(before)), id };
}

test("what an earlier translation imported is left as it is, unless it is to be imported again", async () => {
  const shell = await hereServed();
  const row = recorded(1);
  const { line, id } = earlierLine(row);
  shell.write("earlier.jsonl", line);
  expect(await shell.json("import", "earlier.jsonl")).toMatchObject({ sessions: 1 });

  shell.write("runs.jsonl", linesOf([row]));
  const left = await shell.atlas("import", "runs.jsonl");
  expect(left.code).toBe(0);
  expect(left.stdout).toMatch(/^Imported 0 sessions .*, 1 were there already\.$/m);
  expect(left.stderr).toContain("Sessions that an earlier version of their format had imported: 1.");
  expect(left.stderr).toContain("--again");
  expect(await shell.json<unknown[]>("sessions", "list")).toHaveLength(1);

  expect(await shell.json("import", "runs.jsonl", "--again")).toMatchObject({
    sessions: 1,
    otherTranslations: 0,
  });
  const [newest] = (await shell.json<{ sessionId: string }[]>("sessions", "list")).filter(
    ({ sessionId }) => sessionId !== id,
  );
  expect((await shown(shell, newest!.sessionId)).started.supersedes).toBe(id);
  expect(await shell.json("import", "runs.jsonl", "--again")).toMatchObject({
    sessions: 0,
    skippedSessions: 1,
  });
});

test("flags that would change a session of another log are told, and change nothing", async () => {
  const shell = here();
  shell.write("line.jsonl", earlierLine(recorded(1)).line);
  const { warnings } = await shell.json<Summary>(
    "import",
    "line.jsonl",
    "--dry-run",
    "--learning-key",
    "mine",
    "--group-by",
    "x",
  );
  expect(warnings).toEqual([
    {
      file: "line.jsonl",
      line: 1,
      reason: expect.stringContaining("is taken over as it was there") as string,
    },
  ]);
});
