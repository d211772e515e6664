import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import type { RunRecord } from "../../sinks/run-record.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { atlas, startAtlas, userFolder } from "./from-source.ts";

const OFFLINE = { ATLAS_OFFLINE_MODE: "1" };

const recordsIn = (folder: string): RunRecord[] =>
  readdirSync(join(folder, ".atlas/runs")).map(
    (name) => JSON.parse(readFileSync(join(folder, ".atlas/runs", name), "utf8")) as RunRecord,
  );

const eventsOf = (stdout: string): AtlasEvent[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as AtlasEvent);

/** A configuration whose student, teacher and judge are one server. */
const withServer = (url: string): string => `
agent: {type: openai, name: tested, model: m, base_url: "${url}"}
teacher: {model: m, base_url: "${url}"}
judge: {model: m, base_url: "${url}"}
learning_key: configured
orchestration: {max_retries: 0}
`;

test("without a configuration: the answer on standard output, the rest beside it, a record", async () => {
  const folder = userFolder();
  const args = ["run", "--task", "Add 2 and 2", "--learning-key", "sums", "--tag", "a", "--tag", "b"];
  const { code, stdout, stderr } = await atlas(folder, [...args, "--ground-truth", "4"], OFFLINE);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^\[simulated\].*Add 2 and 2.*\n$/);
  expect(stderr).toContain("because ATLAS_OFFLINE_MODE is set");
  expect(stderr).toMatch(/reward +0\.\d\d ± /);
  expect(stderr).not.toContain("the student answered");
  const [record] = recordsIn(folder);
  expect(record).toMatchObject({
    status: "succeeded",
    learningKey: "sums",
    tags: ["a", "b"],
    lane: "paired",
  });
  expect(stderr).toContain(record!.sessionId);
  const { stdout: shown } = await atlas(folder, ["sessions", "show", record!.sessionId, "--json"]);
  expect(shown).toContain('"ground_truth": "4"');
});

test("--json streams the session's events, whole and in order, and nothing else; --quiet leaves the answer", async () => {
  const folder = userFolder();
  const { code, stdout, stderr } = await atlas(folder, ["run", "--task", "t", "--json"], OFFLINE);
  expect(code, stderr).toBe(0);
  const events = eventsOf(stdout);
  expect(events.map(({ meta }) => meta.sequence)).toEqual(events.map((_, index) => index + 1));
  expect(events[0]?.type).toBe("SessionStarted");
  expect(events.at(-1)?.type).toBe("SessionJudged");
  expect(stderr).toBe("");
  const quiet = await atlas(folder, ["run", "--task", "t", "--quiet"], OFFLINE);
  expect(quiet).toMatchObject({ code: 0, stderr: "" });
  expect(quiet.stdout).toMatch(/^\[simulated\]/);
});

test("a configured agent that fails: exit code 1, with its record; a key from .env goes where it belongs and nowhere else", async () => {
  const folder = userFolder();
  await using server = await startModelServer((_, response) =>
    json(response, { error: { message: "no" } }, 400),
  );
  writeFileSync(join(folder, "atlas.yaml"), withServer(server.url));
  writeFileSync(join(folder, ".env"), "OPENAI_API_KEY=sk-canary-4711\n");
  const { ended } = startAtlas(folder, ["run", "--task", "t", "--config", "atlas.yaml"]);
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("ATLAS_MODEL_FAILED");
  expect(server.requests[0]?.headers.authorization).toBe("Bearer sk-canary-4711");
  const [record] = recordsIn(folder);
  expect(record).toMatchObject({ status: "failed", agent: "tested", learningKey: "configured" });
  expect(JSON.stringify(record) + stderr).not.toContain("canary");
});

test("the environment goes before .env", async () => {
  const folder = userFolder();
  await using server = await startModelServer((_, response) => json(response, {}, 400));
  writeFileSync(join(folder, "atlas.yaml"), withServer(server.url));
  writeFileSync(join(folder, ".env"), "OPENAI_API_KEY=sk-from-file\n");
  const args = ["run", "--task", "t", "--config", "atlas.yaml"];
  await startAtlas(folder, args, { OPENAI_API_KEY: "sk-from-shell" }).ended;
  expect(server.requests[0]?.headers.authorization).toBe("Bearer sk-from-shell");
});

test("escape codes in an answer are shown, not obeyed", async () => {
  const folder = userFolder();
  await using server = await startModelServer((_, response) =>
    json(response, completion("a\u001b[2Jb\u0007")),
  );
  writeFileSync(join(folder, "atlas.yaml"), withServer(server.url));
  const { stdout, stderr } = await atlas(folder, ["run", "--task", "t", "--config", "atlas.yaml"]);
  expect(stdout).toBe("a\\u001b[2Jb\\u0007\n");
  expect(stdout + stderr).not.toMatch(/\u001b|\u0007/);
});

test("Ctrl-C ends the session as cancelled: exit code 130, everything up to there in the log", async () => {
  const folder = userFolder();
  let asked: (() => void) | undefined;
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  await using server = await startModelServer(() => asked!());
  writeFileSync(join(folder, "atlas.yaml"), withServer(server.url));
  const args = ["run", "--task", "t", "--config", "atlas.yaml", "--json"];
  const { child, ended } = startAtlas(folder, args);
  await waiting;
  child.kill("SIGINT");
  const { code, stdout, stderr } = await ended;
  expect(code, stderr).toBe(130);
  const events = eventsOf(stdout);
  expect(events.find(({ type }) => type === "SessionEnded")).toMatchObject({ status: "cancelled" });
  const [record] = recordsIn(folder);
  expect(record?.status).toBe("cancelled");
  const tail = await atlas(folder, ["log", "tail", "--topic", "atlas.sessions", "--limit", "100", "--json"]);
  const logged = eventsOf(tail.stdout.replaceAll(/^/gm, "")).length;
  expect(logged).toBe(events.length);
});

test("a run needs a task, and a configuration that is used needs an agent", async () => {
  const folder = userFolder();
  expect((await atlas(folder, ["run"], OFFLINE)).code).toBe(2);
  writeFileSync(join(folder, "atlas.yaml"), "learning_key: k\n");
  const { code, stderr } = await atlas(folder, ["run", "--task", "t", "--config", "atlas.yaml"], OFFLINE);
  expect(code).toBe(1);
  expect(stderr).toContain("a run needs an agent");
});

test("--rollouts runs a task as a group, and succeeds in part when only some do", async () => {
  const folder = userFolder();
  const { code, stdout, stderr } = await atlas(folder, ["run", "--task", "t", "--rollouts", "2"], OFFLINE);
  expect(code, stderr).toBe(0);
  expect(stdout.trim().split("\n")).toHaveLength(3);
  const records = recordsIn(folder).sort((a, b) => a.rollout! - b.rollout!);
  expect(records.map(({ rollout }) => rollout)).toEqual([1, 2]);
  expect(records[0]?.groupId).toMatch(/^[0-9a-f-]{36}$/);
  expect(records[1]?.groupId).toBe(records[0]?.groupId);
  expect((await atlas(folder, ["run", "--task", "t", "--rollouts", "0"], OFFLINE)).code).toBe(2);

  let asked = 0;
  await using server = await startModelServer((_, response) => {
    asked += 1;
    const verdict = completion(JSON.stringify({ valid: true, score: 1, uncertainty: 0, rationale: "r" }));
    json(response, asked === 1 ? {} : verdict, asked === 1 ? 400 : 200);
  });
  writeFileSync(join(folder, "atlas.yaml"), withServer(server.url));
  const args = ["run", "--task", "t", "--rollouts", "2", "--config", "atlas.yaml", "--quiet"];
  const some = await atlas(folder, args);
  expect(some.stdout).toMatch(/failed[\s\S]*succeeded/);
  expect(some.code).toBe(3);
});
