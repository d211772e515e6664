import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ConfigInput, configJsonSchema } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { type AtlasError, explain, isAtlasError } from "../../errors/atlas-error.ts";
import { DEFAULT_RULES, rulesHash } from "../../schemas/rules.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../configs/examples");
const folder = mkdtempSync(join(tmpdir(), "atlas-config-"));
let files = 0;

function fileOf(text: string): string {
  files += 1;
  const path = join(folder, `config-${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

function refused(source: string | object, env: NodeJS.ProcessEnv = {}): AtlasError {
  try {
    loadConfig(source as ConfigInput, env);
  } catch (error) {
    if (isAtlasError(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** How a file names an environment variable. */
const variable = (name: string): string => `$\{${name}}`;

const refusedFile = (text: string, env: NodeJS.ProcessEnv = {}) => refused(fileOf(text), env);

const KAFKA = {
  ATLAS_KAFKA_BROKERS: "a:9092, b:9093",
  ATLAS_SCHEMA_REGISTRY_URL: "http://registry:8081",
  ATLAS_DATABASE_URL: "postgresql://u:hunter2@db/atlas",
};

describe("the log that is chosen", () => {
  test("nothing said: the embedded one, with the default rules", () => {
    const config = loadConfig(undefined, {});
    expect(config.log).toEqual({ kind: "embedded", path: ".atlas" });
    expect(rulesHash(config.rules)).toBe(rulesHash(DEFAULT_RULES));
    expect(config.orchestration).toMatchObject({
      maxRetries: 1,
      concurrency: 4,
      deadlineSeconds: 900,
      verdictCache: 0,
    });
    expect(config.lane).toBeUndefined();
  });

  test("a database in the environment: Postgres", () => {
    const log = { kind: "postgres", databaseUrl: "postgresql://db/a" };
    expect(loadConfig(undefined, { ATLAS_DATABASE_URL: "postgresql://db/a" }).log).toEqual(log);
    expect(loadConfig(undefined, { STORAGE__DATABASE_URL: "postgresql://db/a" }).log).toEqual(log);
    const both = { ATLAS_DATABASE_URL: "postgresql://db/a", STORAGE__DATABASE_URL: "postgresql://db/b" };
    expect(loadConfig(undefined, both).log).toEqual(log);
  });

  test("brokers in the environment: Kafka", () => {
    expect(loadConfig(undefined, KAFKA).log).toEqual({
      kind: "kafka",
      brokers: ["a:9092", "b:9093"],
      schemaRegistryUrl: "http://registry:8081",
      databaseUrl: "postgresql://u:hunter2@db/atlas",
      ssl: false,
    });
  });

  test("a file that says nothing about the log leaves it to the environment", () => {
    expect(loadConfig(fileOf("learning_key: k"), KAFKA)).toMatchObject({
      learningKey: "k",
      log: { kind: "kafka" },
    });
    expect(loadConfig(fileOf(""), KAFKA).log.kind).toBe("kafka");
  });

  test("what a file or an object says goes before the environment", () => {
    expect(loadConfig(fileOf("log: {kind: embedded, path: here}"), KAFKA).log).toEqual({
      kind: "embedded",
      path: "here",
    });
    expect(loadConfig({ log: { kind: "embedded" } }, KAFKA).log.kind).toBe("embedded");
  });

  test("empty variables count as unset", () => {
    const empty = { ATLAS_KAFKA_BROKERS: "", ATLAS_SCHEMA_REGISTRY_URL: "", ATLAS_DATABASE_URL: "" };
    expect(loadConfig(undefined, empty).log.kind).toBe("embedded");
  });
});

describe("contradictions in the environment", () => {
  test.each([
    [{ ATLAS_KAFKA_BROKERS: "a:1" }, "but ATLAS_SCHEMA_REGISTRY_URL is not"],
    [{ ATLAS_SCHEMA_REGISTRY_URL: "http://r" }, "but ATLAS_KAFKA_BROKERS is not"],
    [{ ...KAFKA, ATLAS_KAFKA_BROKERS: "a" }, "ATLAS_KAFKA_BROKERS must be host:port"],
    [{ ...KAFKA, ATLAS_SCHEMA_REGISTRY_URL: "registry:8081" }, "ATLAS_SCHEMA_REGISTRY_URL must be a URL"],
    [
      { ATLAS_DATABASE_URL: "mysql://u:hunter2@db" },
      "ATLAS_DATABASE_URL must be a URL such as postgresql://",
    ],
  ])("%j", (env, words) => {
    const error = refused({}, env);
    expect(error.code).toBe("ATLAS_CONFIG_INVALID");
    expect(explain(error)).toContain(words);
    expect(explain(error)).not.toContain("hunter2");
  });
});

describe("problems of a file", () => {
  test("an unknown key: its place and the name that was meant", () => {
    const error = refusedFile(
      "log:\n  kind: kafka\n  brokers: a:1\n  schema_registy_url: http://r\n  database_url: postgres://d\n",
    );
    expect(error.message).toMatch(
      /^2 problems: log.schema_registry_url is missing \(.*:2:3\); log.schema_registy_url is not a key of log: did you mean schema_registry_url\? \(.*:4:3\)$/,
    );
  });

  test.each([
    ["lerning_key: x", "lerning_key is not a key of the configuration: did you mean learning_key?", "1:1"],
    ["learningKey: x", "did you mean learning_key?", "1:1"],
    [
      "rules:\n  drift:\n    z_threshold: 3",
      "rules.drift.z_threshold is not a key of rules.drift: did you mean threshold?",
      "3:5",
    ],
    [
      "log: {kind: embedded, database_url: postgresql://d}",
      "it belongs to postgres and kafka, not to embedded",
      "1:23",
    ],
    ["wibble: 1", "known are log, agent, teacher, judge, judges, rules, orchestration, learning_key", "1:1"],
    ["learning_key: x\nlog:\n  kind: kafak", "log.kind must be embedded, postgres or kafka", "3:9"],
    ["log: {path: x}", "log.kind is missing", "1:6"],
    ["orchestration: {max_retries: 1.5}", "orchestration.max_retries must be a whole number", "1:30"],
    ["orchestration: {max_retries: -1}", "orchestration.max_retries must be at least 0", "1:30"],
    ["orchestration: {max_retries: 11}", "orchestration.max_retries must be at most 10", "1:30"],
    ["rules: {drift: {threshold: 0}}", "rules.drift.threshold must be more than 0", "1:28"],
    ["rules: {rubric: {weights: {a: -1}}}", "rules.rubric.weights.a must be at least 0", "1:31"],
    ["agent: {type: openai}", "agent.model is missing", "1:8"],
    ["agent: {type: openai, model: m, modl: m}", "did you mean model?", "1:33"],
    ["agent: {model: m}", "agent.type is missing", "1:8"],
    ["agent: {type: mine, model: m}", "agent.type must be openai, anthropic, gemini, http", "1:15"],
    ["agent: {type: mine}", "or a kind that a module under plugins registers", "1:15"],
    ["plugins: [./p.mjs]\nagent: {type: mine, endpoint: u}", "known are type, settings", "2:21"],
    ["plugins: [./p.mjs]\nagent: {type: mine, settings: 5}", "agent.settings must be a block", "2:31"],
    ["lane: {forced: best}", "lane.forced must be one of auto, paired, coach", "1:16"],
    ["lane: {thresholds: {auto: 0.5}}", "lane.thresholds.auto must not be below paired", "1:27"],
    ["lane: {thresholds: {paired: 1.5}}", "lane.thresholds.paired must be at most 1", "1:29"],
    ["lane: {history_limit: 201}", "lane.history_limit must be at most 200", "1:23"],
    ["lane: {probe: {modell: m}}", "lane.probe.modell is not a key of lane.probe: did you mean model?", ""],
    ["orchestration: {execution_mode: fast}", "must be single_shot or stepwise", "1:33"],
    ["orchestration: {execution_mode: {coach: fast}}", "must be single_shot or stepwise", "1:33"],
    ["orchestration: {deadline_seconds: 0}", "orchestration.deadline_seconds must be more than 0", "1:35"],
    ["orchestration: {concurrency: 0}", "orchestration.concurrency must be at least 1", "1:30"],
    ["triage: {attribute: a}", "triage.import_path is missing", "1:9"],
    ["tags: nightly", "tags must be a list, not a string", "1:7"],
    [
      "teacher: {provider: opnai, model: m}",
      "teacher.provider must be one of openai, anthropic, gemini, simulated",
      "1:21",
    ],
    [
      "judge: {model: m, api_key_env: sk-123}",
      "judge.api_key_env must be the name of an environment variable, not a key",
      "1:32",
    ],
    ["- a", "the configuration must be a block of keys, not a list", "1:1"],
    ["just text", "the configuration must be a block of keys, not a string", "1:1"],
    ["learning_key: 5", "learning_key must be a string, not a number", "1:15"],
    ["learning_key: ''", "learning_key must not be empty", "1:15"],
    ["__proto__: {log: 1}", "__proto__ is not a key of the configuration", "1:1"],
    [
      "log: {kind: postgres, database_url: postgresql://d, constructor: 1}",
      "log.constructor is not a key of log",
      "1:53",
    ],
    ["learning_key: a\nlearning_key: b", "a key that is there twice", "2:1"],
    ["log: {kind: embedded", "a block in braces that is not closed: its } is missing", "1:6"],
    ["agent: [\n  x: 1\n", "a list that is not closed: its ] is missing", "1:8"],
    ["project: a\ntags: [a,\n  b,\n\ntenant: y", "a list that is not closed: its ] is missing", "2:7"],
    ['project: "a\ntenant: y', 'a text in quotes that is not closed: its " is missing', "1:10"],
    ["project: 'a\ntenant: y", "a text in quotes that is not closed: its ' is missing", "1:10"],
    ["project: a: b", "a second key in one line", "1:10"],
    ["log:\n  kind: embedded\n\tpath: x", "a tab: lines are indented with spaces", "3:1"],
    ["project: @x", "a value that starts with @ or ` needs quotes", "1:10"],
    ["project:x\ntenant: y", "a key needs a colon and a space after it", "1:1"],
    ["tags: [a,,b]", "something that cannot stand here", "1:10"],
    ['project: "\\d"', "an escape that YAML does not know", "1:11"],
    ["learning_key: !x y", "a value that starts with ! or % needs quotes", "1:15"],
    ["learning_key: *x", "aliases are missing", "1:1"],
  ])("%s", (text, words, place) => {
    const error = refusedFile(text);
    expect(error.code).toBe("ATLAS_CONFIG_INVALID");
    expect(error.message).toContain(words);
    if (place === "") expect(error.message).toMatch(/^2 problems/);
    else expect(error.where).toMatch(new RegExp(`config-\\d+\\.yaml:${place}$`));
  });

  test("no value is ever repeated", () => {
    const secret = "hunter2";
    for (const text of [
      `log: {kind: postgres, database_url: "mysql://u:${secret}@h/d"}`,
      `log: {kind: postgres, database_url: "${secret}"}`,
      `log: {kind: ${secret}}`,
      `learning_key: !${secret} x`,
      `learning_key: *${secret}`,
      `learning_key: "\\q${secret}"`,
      `learning_key: |${secret}\n  x`,
      `learning_key: [a, ${secret}`,
      `learning_key: ${secret}: ${secret}`,
      `%${secret}\n---\n`,
      `judge: {model: m, api_key_env: "${secret}!"}`,
      `log: {kind: kafka, brokers: "u:${secret}@h:1"}`,
    ]) {
      expect(explain(refusedFile(text)), text).not.toContain(secret);
    }
  });

  test("a password may not travel in the clear", () => {
    const text = (host: string, ssl: boolean) => `
log:
  kind: kafka
  brokers: ${host}:9092
  schema_registry_url: http://r
  database_url: postgresql://d
  ssl: ${ssl}
  sasl: {mechanism: plain, username: u, password_env: P}`;
    expect(refusedFile(text("broker", false)).message).toContain("log.ssl must be true where sasl is used");
    expect(loadConfig(fileOf(text("broker", true)), {}).log).toMatchObject({
      ssl: true,
      sasl: { passwordEnv: "P" },
    });
    expect(loadConfig(fileOf(text("localhost", false)), {}).log).toMatchObject({ ssl: false });
  });

  test("a file that is not there, and a folder", () => {
    expect(refused(join(folder, "none.yaml"))).toMatchObject({
      code: "ATLAS_CONFIG_NOT_FOUND",
      message: "the file does not exist",
    });
    expect(refused(folder)).toMatchObject({ code: "ATLAS_CONFIG_NOT_FOUND", message: "it is a folder" });
  });
});

describe("variables in a file", () => {
  test("are filled in, with a default, typed as if they stood there", () => {
    const text = `learning_key: a-${variable("A")}-${variable("B:-b")}
rules:
  drift:
    window: ${variable("W:-7")}
orchestration:
  max_retries: ${variable("R")}`;
    const config = loadConfig(fileOf(text), { A: "x: y", R: "2" });
    expect(config).toMatchObject({
      learningKey: "a-x: y-b",
      rules: { drift: { window: 7 } },
      orchestration: { maxRetries: 2 },
    });
  });

  test("quotes keep a text, and $${ stands for itself", () => {
    expect(loadConfig(fileOf(`learning_key: "${variable("N")}"`), { N: "12" }).learningKey).toBe("12");
    expect(loadConfig(fileOf(`learning_key: a $${variable("N")} $5`), {}).learningKey).toBe(
      `a ${variable("N")} $5`,
    );
  });

  test("one that is not set is named with its place", () => {
    const error = refusedFile(
      `log:\n  kind: postgres\n  database_url: ${variable("NOPE")}\nlearning_key: ${variable("a b")}`,
    );
    expect(error.message).toMatch(
      /^2 problems: the environment variable NOPE is not set \(.*:3:17\); only the name .*\(.*:4:15\)$/,
    );
  });
});

describe("a configuration in code", () => {
  test("has its keys in camelCase", () => {
    const config = loadConfig(
      {
        log: {
          kind: "kafka",
          brokers: ["k:1"],
          schemaRegistryUrl: "http://r",
          databaseUrl: "postgres://d",
          replicationFactor: 3,
        },
        rules: { rubric: { weights: { my_judge: 2, myJudge: 1 } }, drift: { minBaseline: 2 } },
        judge: { model: "m", apiKeyEnv: "K" },
        learningKey: undefined,
      },
      {},
    );
    expect(config.log).toMatchObject({ replicationFactor: 3 });
    expect(config.rules.rubric.weights).toEqual({ my_judge: 2, myJudge: 1 });
    expect(config.rules.drift).toMatchObject({ window: 50, threshold: 3, min_baseline: 2 });
    expect(config.judge).toEqual({ provider: "openai", model: "m", apiKeyEnv: "K" });
  });

  test("is refused in its own words", () => {
    expect(refused({ log: { kind: "postgres", databseUrl: "x" } }).message).toBe(
      "2 problems: log.databaseUrl is missing; log.databseUrl is not a key of log: did you mean databaseUrl?",
    );
    expect(refused({ orchestration: { executionMode: "singleShot" } }).message).toContain(
      "orchestration.executionMode must be single_shot or stepwise",
    );
  });

  test("whatever is thrown at it, the answer is a configuration or one coded error", () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
        (value) => {
          try {
            loadConfig(value as ConfigInput, {});
          } catch (error) {
            expect(isAtlasError(error)).toBe(true);
          }
        },
      ),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        try {
          loadConfig(fileOf(text), {});
        } catch (error) {
          expect(isAtlasError(error)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("paths", () => {
  test("~ is the home folder; a module is found beside the file", () => {
    expect(loadConfig(fileOf("log: {kind: embedded, path: ~/a}"), {}).log).toMatchObject({
      path: join(homedir(), "a"),
    });
    const agent = (path: string) =>
      loadConfig(fileOf(`agent: {type: function, import_path: ${path}}`), {}).agent;
    expect(agent("./a.ts")).toMatchObject({ importPath: join(folder, "a.ts"), attribute: "default" });
    expect(agent("~/a.ts")).toMatchObject({ importPath: join(homedir(), "a.ts") });
    expect(agent("some-package/agent")).toMatchObject({ importPath: "some-package/agent" });
    const { triage, plugins } = loadConfig(
      fileOf("triage: {import_path: ./t.mjs}\nplugins: [./p.mjs, a-package]"),
      {},
    );
    expect(triage).toEqual({ importPath: join(folder, "t.mjs"), attribute: "default" });
    expect(plugins).toEqual([join(folder, "p.mjs"), "a-package"]);
  });
});

describe("examples", () => {
  test.each(readdirSync(EXAMPLES).map((name) => [name]))("%s loads without any variable", (name) => {
    expect(loadConfig(join(EXAMPLES, name), {})).toMatchObject({ log: { kind: expect.any(String) } });
  });

  test("there is one for each kind of log and agent", () => {
    const all = readdirSync(EXAMPLES).map((name) => loadConfig(join(EXAMPLES, name), {}));
    expect(new Set(all.map(({ log }) => log.kind))).toEqual(new Set(["embedded", "postgres", "kafka"]));
    expect(new Set(all.flatMap(({ agent }) => agent?.type ?? []))).toEqual(
      new Set(["openai", "anthropic", "gemini", "http", "function", "langgraph"]),
    );
  });

  test("the JSON Schema for editors names every key", () => {
    expect(Object.keys((configJsonSchema() as { properties: object }).properties)).toEqual(
      expect.arrayContaining([
        "log",
        "agent",
        "teacher",
        "judge",
        "rules",
        "orchestration",
        "learning_key",
        "lane",
        "triage",
        "plugins",
        "project",
        "tenant",
        "tags",
        "metadata",
        "capture",
        "spool",
      ]),
    );
  });
});
