import { expect, test } from "vitest";
import { type Here, hereServed } from "./here.ts";
import { expectOneLine } from "./one-line.ts";
import { linesOf, recorded, tenRuns } from "./recorded.ts";

/** What `atlas import --json` prints, as far as these tests look. */
interface Summary {
  sessions: number;
  events: number;
  skippedSessions: number;
  malformed: number;
}

const VERIFY = ["log", "verify"] as const;

/** What a folder holds, but for what importing may leave open: the log by topic, and every session. */
const contents = async (shell: Here): Promise<unknown> => [
  await shell.json(...VERIFY),
  await shell.json("sessions", "list", "--limit", "1000"),
];

test("takes a good file, and nothing of it a second time", async () => {
  const shell = await hereServed();
  shell.write("runs.jsonl", tenRuns());
  const first = await shell.json<Summary>("import", "runs.jsonl");
  expect(first).toMatchObject({ sessions: 10, skippedSessions: 0, malformed: 0 });
  const before = await contents(shell);
  const second = await shell.json<Summary>("import", "runs.jsonl");
  expect(second).toMatchObject({ sessions: 0, events: 0, skippedSessions: 10 });
  expect(await contents(shell)).toEqual(before);
});

test("takes a JSON array, and gives its conversations the learning key and time that it is told", async () => {
  const shell = await hereServed();
  const row = recorded(1);
  delete row.created_at;
  shell.write("runs.json", JSON.stringify([row]));
  await shell.json("import", "runs.json", "--learning-key", "mine", "--at", "2025-07-01T10:00:00Z");
  const [session] = await shell.json<{ learningKey: string; createdAt: string }[]>("sessions", "list");
  expect(session).toMatchObject({ learningKey: "mine", createdAt: "2025-07-01T10:00:00.000Z" });
});

test("names malformed lines by file, line and reason, takes the rest, and ends with 3", async () => {
  const shell = await hereServed();
  const rows = [recorded(0), { messages: "none" }, recorded(1), recorded(2, { reward: 7 }), { unknown: [] }];
  shell.write("runs.jsonl", `${linesOf(rows)}{"messages": [\n`);
  const { code, stdout, stderr } = await shell.atlas("import", "runs.jsonl");
  expect(code).toBe(3);
  expect(stdout).toMatch(/^Imported 3 sessions .*, 3 malformed\.$/m);
  expect(stderr).toMatch(/^runs\.jsonl:2: messages .*$/m);
  expect(stderr).toMatch(/^runs\.jsonl:4: reward lies outside 0 to 1: it is kept as it is/m);
  expect(stderr).toMatch(/^runs\.jsonl:5: no known format: no `messages`; found `unknown`$/m);
  expect(stderr).toMatch(/^runs\.jsonl:6: .*not valid JSON/m);
  const again = await shell.atlas("import", "runs.jsonl", "--json");
  expect(again.code).toBe(3);
  expect(JSON.parse(again.stdout)).toMatchObject({ sessions: 0, skippedSessions: 3, malformed: 3 });
});

test("a missing file ends with 1 in one line, and takes nothing of the others", async () => {
  const shell = await hereServed();
  shell.write("runs.jsonl", tenRuns());
  const { code, stdout, stderr } = await shell.atlas("import", "runs.jsonl", "none.jsonl");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expectOneLine(stderr, "ATLAS_FILE_UNREADABLE");
  expect(stderr).toContain("none.jsonl");
  expect(await shell.json("sessions", "list")).toEqual([]);
});

test("what it takes obeys no control character of a terminal", async () => {
  const shell = await hereServed();
  const evil = "\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u009b1m\u202eback\r";
  const messages = [
    { role: "user", content: evil },
    { role: "assistant", content: evil },
  ];
  shell.write("runs.jsonl", linesOf([recorded(0, { task: evil, messages })]));
  expect((await shell.atlas("import", "runs.jsonl")).code).toBe(0);
  const outputs = [
    await shell.atlas("sessions", "list"),
    await shell.atlas("sessions", "show", "1"),
    await shell.atlas("review", "list"),
    await shell.atlas("log", "tail"),
    await shell.atlas("review", "approve", "1", "--note", evil),
    await shell.atlas("review", "list"),
  ];
  for (const { code, stdout, stderr } of outputs) {
    expect(code).toBe(0);
    expect(stdout + stderr).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
    );
    expect(stdout).toContain("owned");
  }
});
