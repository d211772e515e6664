import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { atlas, userFolder } from "./from-source.ts";

test("config init writes what config check accepts, and replaces nothing unless told", async () => {
  const folder = userFolder();
  expect((await atlas(folder, ["config", "init"])).code).toBe(0);
  const first = readFileSync(join(folder, "atlas.yaml"), "utf8");
  expect(await atlas(folder, ["config", "check", "atlas.yaml"])).toMatchObject({
    code: 0,
    stdout: "atlas.yaml is valid.\n",
    stderr: "",
  });
  writeFileSync(join(folder, "atlas.yaml"), "mine: 1");
  const again = await atlas(folder, ["config", "init"]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("--force");
  expect(readFileSync(join(folder, "atlas.yaml"), "utf8")).toBe("mine: 1");
  expect((await atlas(folder, ["config", "init", "--force"])).code).toBe(0);
  expect(readFileSync(join(folder, "atlas.yaml"), "utf8")).toBe(first);
  expect((await atlas(folder, ["config", "init", "--output", "other.yaml"])).code).toBe(0);
});

test("config check lists every problem with its place, and what has no effect", async () => {
  const folder = userFolder();
  writeFileSync(join(folder, "a.yaml"), "teacher:\n  modle: m\njudge: {model: m, temperature: 9}\n");
  const bad = await atlas(folder, ["config", "check", "a.yaml"]);
  expect(bad.code).toBe(2);
  expect(bad.stdout.trim().split("\n").sort()).toEqual([
    "a.yaml:2:3: teacher.model is missing",
    "a.yaml:2:3: teacher.modle is not a key of teacher: did you mean model?",
    "a.yaml:3:32: judge.temperature must be at most 2",
  ]);
  const json = await atlas(folder, ["config", "check", "a.yaml", "--json"]);
  expect(json.code).toBe(2);
  expect((JSON.parse(json.stdout) as { problems: unknown[] }).problems).toHaveLength(3);

  writeFileSync(join(folder, "python.yaml"), "student: {max_plan_tokens: 5}\nteacher: {llm: {model: m}}\n");
  const python = await atlas(folder, ["config", "check", "python.yaml"]);
  expect(python).toMatchObject({ code: 0, stdout: "python.yaml is valid.\n" });
  expect(python.stderr).toMatch(
    /^warning: student\.max_plan_tokens does not apply: .* \(python\.yaml:1:11\)\n$/,
  );
  expect((await atlas(folder, ["config", "check", "none.yaml"])).code).toBe(2);
});

test("config schema prints a JSON Schema", async () => {
  const { code, stdout } = await atlas(userFolder(), ["config", "schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: "object", properties: { agent: {}, log: {} } });
});

interface Report {
  healthy: boolean;
  findings: { name: string; status: string; detail: string }[];
}

test("doctor: a fresh folder is fine and stays empty; keys are named, never shown", async () => {
  const folder = userFolder();
  const env = { ATLAS_OFFLINE_MODE: "1", OPENAI_API_KEY: "sk-canary" };
  const { code, stdout, stderr } = await atlas(folder, ["doctor"], env);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/key OPENAI_API_KEY +ok +set/);
  expect(stdout).toContain("the first run makes it");
  expect(stdout + stderr).not.toContain("canary");
});

test("doctor: models that answer, refuse the key, or are not there", async () => {
  const folder = userFolder();
  await using good = await startModelServer((_, response) => json(response, completion("unused")));
  await using strict = await startModelServer((_, response) => json(response, {}, 401));
  writeFileSync(
    join(folder, "atlas.yaml"),
    `agent: {type: openai, model: m, base_url: "${good.url}"}
teacher: {model: m, base_url: "${strict.url}", api_key_env: MY_KEY}
judge: {provider: anthropic, model: m, base_url: "http://127.0.0.1:9"}
lane: {probe: {model: m, base_url: "${good.url}"}}`,
  );
  const args = ["doctor", "--config", "atlas.yaml", "--json"];
  const { code, stdout } = await atlas(folder, args, { MY_KEY: "sk-canary" });
  expect(code).toBe(1);
  const report = JSON.parse(stdout) as Report;
  const states = Object.fromEntries(report.findings.map(({ name, status }) => [name, status]));
  expect(report.healthy).toBe(false);
  expect(states).toMatchObject({
    "model of the agent": "ok",
    "model of the teacher": "broken",
    "model of the judge": "broken",
    "model of the probe": "ok",
  });
  expect(good.requests.map(({ path }) => path)).toEqual(["/v1/models", "/v1/models"]);
  expect(stdout).not.toContain("canary");
});

test("doctor: a log with its groups; a database that does not answer", async () => {
  const folder = userFolder();
  const env = { ATLAS_OFFLINE_MODE: "1" };
  await atlas(folder, ["run", "--task", "t"], env);
  const { code, stdout } = await atlas(folder, ["doctor", "--json"], env);
  expect(code).toBe(0);
  const names = (JSON.parse(stdout) as Report).findings.map(({ name, status }) => `${name}: ${status}`);
  expect(names).toEqual(
    expect.arrayContaining(["lock: ok", "log: ok", "group read-models: ok", "group drift@3: ok"]),
  );
  // A read model of a user's that reads one topic does not make the log smaller.
  writeFileSync(
    join(folder, "mine.mjs"),
    `export default { name: "mine", version: 1, group: "mine@1", inputs: ["atlas.rewards"], events: [],
       prepare() {}, consume() {} };`,
  );
  writeFileSync(join(folder, "mine.yaml"), "projections:\n  - import_path: ./mine.mjs\n");
  const mine = await atlas(folder, ["doctor", "--json", "--config", "mine.yaml"], env);
  const logOf = (text: string) => (JSON.parse(text) as Report).findings.find(({ name }) => name === "log");
  expect(logOf(mine.stdout)?.detail).toBe(logOf(stdout)?.detail);
  expect(logOf(stdout)?.detail).toMatch(/: [1-9]\d+ records/);
  const gone = await atlas(folder, ["doctor", "--database-url", "postgresql://u:canary@127.0.0.1:9/d"], env);
  expect(gone.code).toBe(1);
  expect(gone.stdout).toContain("ATLAS_DATABASE_UNREACHABLE");
  expect(gone.stdout + gone.stderr).not.toContain("canary");
});
