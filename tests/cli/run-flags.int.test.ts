import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AtlasEvent, EventOf, EventType } from "../../schemas/generated/events.ts";
import { type Answer, completion, json, startModelServer } from "../models/model-server.ts";
import { planningStudent } from "../producers/lanes.ts";
import { sideBySide } from "../side-by-side.ts";
import { atlas, startAtlas, userFolder } from "./from-source.ts";

const OFFLINE = { ATLAS_OFFLINE_MODE: "1" };

const only = <T extends EventType>(stdout: string, type: T): EventOf<T>[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as AtlasEvent)
    .filter((event): event is EventOf<T> => event.type === type);

/** Runs a task with flags, with simulated models unless a configuration names others. */
async function ran(flags: readonly string[], yaml?: string, env: Record<string, string> = OFFLINE) {
  const folder = userFolder();
  if (yaml !== undefined) writeFileSync(join(folder, "atlas.yaml"), yaml);
  const config = yaml === undefined ? [] : ["--config", "atlas.yaml"];
  const ended = await atlas(folder, ["run", "--task", "t", "--json", ...config, ...flags], env);
  return { ...ended, folder };
}

/** A configuration whose student is this server, and whose teacher and judge accept everything. */
async function withStudent(student: Answer) {
  const verdict = completion(
    JSON.stringify({ valid: true, guidance: null, score: 1, uncertainty: 0, rationale: "r" }),
  );
  const server = await startModelServer((request, response) =>
    request.body["model"] === "student" ? student(request, response) : json(response, verdict),
  );
  const model = (name: string) => `{model: ${name}, base_url: "${server.url}", retries: 0}`;
  const yaml = `agent: {type: openai, model: student, base_url: "${server.url}", retries: 0}
teacher: ${model("teacher")}
judge: ${model("judge")}
`;
  return { server, yaml };
}

test("what describes the session is in its start", async () => {
  const { code, stdout, stderr } = await ran(
    [
      ...["--tag", "b", "--project", "p", "--tenant", "t", "--metadata", '{"service": "billing"}'],
      ...["--ground-truth", "4", "--learning-key", "k", "--group-id", "g"],
    ],
    "tags: [a]\nmetadata: {team: sre}\nproject: other\nagent: {type: openai, model: m}\n",
  );
  expect(code, stderr).toBe(0);
  const [started] = only(stdout, "SessionStarted");
  expect(started).toMatchObject({
    tags: ["a", "b"],
    project: "p",
    tenant: "t",
    ground_truth: "4",
    learning_key: "k",
    group_id: "g",
    rollout: null,
  });
  expect(JSON.parse(started!.metadata!)).toEqual({ team: "sre", service: "billing" });
});

test("--lane and --execution-mode go before the configuration", async () => {
  const yaml = "lane: {forced: paired}\nagent: {type: openai, model: m}\n";
  const coach = await ran(["--lane", "coach"], yaml);
  expect(only(coach.stdout, "LaneSelected")).toMatchObject([{ lane: "coach", reason: "forced" }]);
  expect(only(coach.stdout, "StepEnded")).toHaveLength(2);
  const whole = await ran(["--lane", "coach", "--execution-mode", "single_shot"]);
  expect(only(whole.stdout, "StepEnded")).toHaveLength(1);
});

test("--lane probe lets a probe choose: the configured one, else the one that the environment offers", async () => {
  const yaml = "lane: {forced: coach, probe: {model: p}}\nagent: {type: openai, model: m}\nlearning_key: k\n";
  const folder = userFolder();
  writeFileSync(join(folder, "atlas.yaml"), yaml);
  const args = ["run", "--task", "t", "--json", "--lane", "probe"];
  const first = await atlas(folder, [...args, "--config", "atlas.yaml"], OFFLINE);
  expect(only(first.stdout, "LaneSelected")).toMatchObject([
    { lane: "paired", reason: "no_learning_history" },
  ]);
  for (const more of [
    ["--config", "atlas.yaml"],
    ["--learning-key", "k"],
  ]) {
    const { stdout, stderr } = await atlas(folder, [...args, ...more], OFFLINE);
    expect(only(stdout, "LaneSelected"), stderr).toMatchObject([{ reason: "capability_probe" }]);
  }
  const without = await ran(["--lane", "probe"], "agent: {type: openai, model: m}\n");
  expect(without.code).toBe(2);
  expect(without.stderr).toMatch(/^ATLAS_USAGE: no probe is configured \(--lane\)/);
});

test("--deadline, --step-timeout, --max-retries and --concurrency", async () => {
  const silent = await withStudent(() => {});
  const late = await ran(["--deadline", "0.5"], silent.yaml, {});
  expect(late.code).toBe(1);
  expect(only(late.stdout, "SessionEnded")[0]?.error).toContain("the session took longer than 500 ms");
  const step = await ran(["--step-timeout", "0.5"], silent.yaml, {});
  expect(only(step.stdout, "SessionEnded")[0]?.error).toContain("step 1 took longer than 500 ms");
  await silent.server[Symbol.asyncDispose]();

  const steps = sideBySide(2, 4);
  const plan = [1, 2, 3, 4].map((id) => ({ id, description: `step ${id}` }));
  const busy = await withStudent(planningStudent(plan, steps.work));
  const flags = ["--lane", "auto", "--execution-mode", "stepwise", "--concurrency", "2"];
  const { code, stderr } = await ran(flags, busy.yaml, { OPENAI_API_KEY: "sk-test" });
  expect(code, stderr).toBe(0);
  expect(steps.most).toBe(2);
  await busy.server[Symbol.asyncDispose]();

  const refusing = await startModelServer(({ body }, response) =>
    json(
      response,
      completion(body["model"] === "teacher" ? '{"valid": false, "guidance": "again"}' : "answer"),
    ),
  );
  const yaml = `agent: {type: openai, model: student, base_url: "${refusing.url}"}\nteacher: {model: teacher, base_url: "${refusing.url}"}\n`;
  const tried = await ran(["--max-retries", "2"], yaml, { OPENAI_API_KEY: "sk-test" });
  expect(only(tried.stdout, "AttemptStarted")).toHaveLength(3);
  await refusing[Symbol.asyncDispose]();
});

test("rollouts of a group share verdicts: the teacher is asked once about the same answer", async () => {
  const { server, yaml } = await withStudent((_, response) => json(response, completion("the same")));
  const { code, stdout, stderr } = await ran(["--rollouts", "3", "--group-id", "g"], yaml, {
    OPENAI_API_KEY: "sk-test",
  });
  expect(code, stderr).toBe(0);
  expect(server.requests.filter(({ body }) => body["model"] === "teacher")).toHaveLength(1);
  expect(only(stdout, "StepValidated").map(({ cached }) => cached)).toEqual([false, true, true]);
  expect(only(stdout, "SessionStarted").map(({ group_id, rollout }) => [group_id, rollout])).toEqual([
    ["g", 1],
    ["g", 2],
    ["g", 3],
  ]);
  await server[Symbol.asyncDispose]();
});

test("--path: the project's .env and .atlas are used, the configuration is found from here", async () => {
  const folder = userFolder();
  mkdirSync(join(folder, "project"));
  await using server = await startModelServer((_, response) => json(response, {}, 400));
  writeFileSync(join(folder, "project/.env"), "OPENAI_API_KEY=sk-of-project\n");
  writeFileSync(join(folder, "here.yaml"), `agent: {type: openai, model: m, base_url: "${server.url}"}\n`);
  await startAtlas(folder, ["run", "--task", "t", "--path", "project", "--config", "here.yaml"]).ended;
  expect(server.requests[0]?.headers.authorization).toBe("Bearer sk-of-project");
  expect(readdirSync(join(folder, "project/.atlas"))).toContain("runs");
  const nowhere = await atlas(folder, ["run", "--task", "t", "--path", "nowhere"], OFFLINE);
  expect(nowhere.code).toBe(2);
  expect(nowhere.stderr).toMatch(/^ATLAS_USAGE: it is no folder/);
});

describe("a bad value is one coded line that names the flag, and exit code 2", () => {
  test.each([
    ["--lane", "best"],
    ["--execution-mode", "parallel"],
    ["--concurrency", "0"],
    ["--concurrency", "1001"],
    ["--max-retries", "-1"],
    ["--max-retries", "11"],
    ["--deadline", "0"],
    ["--deadline", "soon"],
    ["--step-timeout", "9999999"],
    ["--metadata", "[1]"],
    ["--metadata", "{a"],
    ["--project", " "],
    ["--tenant", ""],
    ["--group-id", ""],
    ["--task", " "],
    ["--rollouts", "1001"],
  ])("%s %s", async (flag, value) => {
    const { code, stdout, stderr, folder } = await ran([`${flag}=${value}`]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(new RegExp(`^ATLAS_USAGE: [^\\n]*\\(${flag}\\)[^\\n]*\\n$`));
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a learning key that is none, by its own code", async () => {
    const { code, stdout, stderr, folder } = await ran(["--learning-key= "]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(
      /^ATLAS_LEARNING_KEY_INVALID: the learning key is empty \(--learning-key\)[^\n]*\n$/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});
