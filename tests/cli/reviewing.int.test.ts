import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf } from "../intake/import/recorded-rows.ts";
import { Here, hereServed } from "./here.ts";
import { expectOneLine } from "./one-line.ts";
import { linesOf, recorded, tenRuns } from "./recorded.ts";

/** What listings print, as far as these tests look. */
interface Listed {
  id: number;
  sessionId: string;
  reviewStatus: string;
  reviewNotes: string | null;
  learningKey: string;
}

/** Sessions that begin with the same four digits, for a prefix that does not say which. */
function twins(sessions: readonly Listed[]): string | undefined {
  const prefixes = sessions.map(({ sessionId }) => sessionId.slice(0, 4));
  return prefixes.find((prefix, index) => prefixes.indexOf(prefix) !== index);
}

const shell = new Here();
let sessions: Listed[];
beforeAll(async () => {
  await shell.serve();
  shell.write("runs.jsonl", tenRuns());
  await shell.json("import", "runs.jsonl");
  sessions = await shell.json<Listed[]>("sessions", "list");
});
afterAll(() => shell.close());

test("lists sessions newest first, and pages of them", async () => {
  expect(sessions).toHaveLength(10);
  const page = await shell.json<Listed[]>("sessions", "list", "--limit", "3", "--offset", "2");
  expect(page).toEqual(sessions.slice(2, 5));
  const keyed = await shell.json<Listed[]>("sessions", "list", "--learning-key", "orders-1");
  expect(keyed).toEqual(sessions.filter(({ learningKey }) => learningKey === "orders-1"));
  const { stdout } = await shell.atlas("sessions", "list");
  expect(stdout.split("\n")[0]).toMatch(/^ID +Session +Created/);
});

test("shows a session by its UUID, a prefix of it, or its integer", async () => {
  const { id, sessionId } = sessions[4]!;
  const byInteger = await shell.atlas("sessions", "show", String(id));
  expect(byInteger.code).toBe(0);
  expect(byInteger.stdout).toContain(`session ${sessionId} succeeded`);
  expect(byInteger.stdout).toMatch(/judge recorded \(recorded\): \d\.\d\d/);
  for (const name of [sessionId, sessionId.slice(0, 13), sessionId.toUpperCase()])
    expect(await shell.atlas("sessions", "show", name)).toEqual(byInteger);
});

test("an id that no session has ends with 1 in one line", async () => {
  for (const id of ["0000", "987654", "ada", "ffffffff-ffff-4fff-bfff-ffffffffffff"]) {
    const { code, stdout, stderr } = await shell.atlas("sessions", "show", id);
    expect({ id, code, stdout }).toEqual({ id, code: 1, stdout: "" });
    expectOneLine(stderr, "ATLAS_SESSION_NOT_FOUND");
  }
});

test("a prefix that several have ends with 1, and names them", async () => {
  const many = await hereServed();
  // Ids are computed from the content: two of these begin alike.
  const keyed = (index: number) => recorded(index, { metadata: { learning_key: `key-${index}` } });
  const byPrefix = new Map<string, number>();
  let pair: number[] = [];
  for (let index = 1; pair.length === 0; index += 1) {
    const prefix = eventsOf(keyed(index))[0]!.meta.source.slice(0, 4);
    const other = byPrefix.get(prefix);
    byPrefix.set(prefix, index);
    if (other !== undefined) pair = [other, index];
  }
  many.write("runs.jsonl", linesOf([0, ...pair].map(keyed)));
  await many.json("import", "runs.jsonl");
  const listed = await many.json<Listed[]>("sessions", "list");
  const prefix = twins(listed)!;
  const { code, stderr } = await many.atlas("sessions", "show", prefix);
  expect(code).toBe(1);
  expectOneLine(stderr, "ATLAS_SESSION_AMBIGUOUS");
  for (const { sessionId } of listed.filter((session) => session.sessionId.startsWith(prefix)))
    expect(stderr).toContain(sessionId);
});

test("decides on single sessions, with a note and an author, again and again", async () => {
  const [first, second] = sessions as [Listed, Listed];
  const [quarantined] = await shell.json<Listed[]>(
    ...[
      "review",
      "quarantine",
      first.sessionId.slice(0, 13),
      "--note",
      "no order number",
      "--author",
      "grace",
    ],
  );
  expect(quarantined).toMatchObject({ reviewStatus: "quarantined", reviewNotes: "no order number" });
  await shell.json("review", "approve", String(first.id), second.sessionId);
  const { stdout } = await shell.run("arc-atlas", "review", "sessions", "--status", "approved", "--json");
  expect((JSON.parse(stdout) as Listed[]).map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
  const tail = await shell.atlas("log", "tail", "--topic", "atlas.decisions", "--json");
  const decisions = tail.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).event);
  expect(decisions.filter(({ type }) => type === "ReviewDecided").map(({ author }) => author)).toEqual([
    "grace",
    "ada",
    "ada",
  ]);
});

test("one wrong id among several decides nothing", async () => {
  const third = sessions[2]!;
  expect((await shell.atlas("review", "quarantine", third.sessionId, "ffff0000")).code).toBe(1);
  const listed = await shell.json<Listed[]>("review", "list", "--status", "quarantined");
  expect(listed).toEqual([]);
});

test("approves all that is pending, of one learning key if told, and says when there is none", async () => {
  const ours = await hereServed();
  ours.write("runs.jsonl", tenRuns());
  await ours.json("import", "runs.jsonl");
  const keyed = ["review", "approve", "--all", "--status", "pending", "--learning-key", "orders-0"];
  expect(await ours.json<Listed[]>(...keyed)).toHaveLength(4);
  const rest = await ours.atlas("review", "approve", "--all", "--status", "pending");
  expect(rest).toMatchObject({ code: 0, stdout: expect.stringMatching(/^6 sessions approved\.$/m) });
  const none = await ours.atlas("review", "approve", "--all", "--status", "pending");
  expect(none).toMatchObject({ code: 0, stdout: "No session is pending.\n" });
  const listed = await ours.run("arc-atlas", "review", "sessions");
  expect(listed.stdout).toMatch(/^pending \(0\)$/m);
  expect(listed.stdout).toMatch(/^approved \(10\)$/m);
});

test("who decides by a clock that is far behind is told at once, and once", async () => {
  const ours = await hereServed();
  const later = new Date(Date.now() + 3 * 3_600_000).toISOString();
  ours.write("runs.jsonl", linesOf([0, 1].map((index) => recorded(index, { created_at: later }))));
  await ours.json("import", "runs.jsonl");
  const { code, stderr } = await ours.atlas("review", "approve", "--all", "--status", "pending");
  expect(code).toBe(0);
  expect(stderr).toBe(
    "warning: This computer's clock is 3 h behind the end of the session. Of several decisions the latest stands, by its time: set the clock.\n",
  );
});
