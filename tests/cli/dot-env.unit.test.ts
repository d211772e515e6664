import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { detectModel } from "../../app/detect-model.ts";
import { listenersIn } from "../../app/local-listener.ts";
import { probeModel } from "../../app/probe-model.ts";
import { readDotEnv } from "../../cli/dot-env.ts";
import { openaiModel } from "../../models/openai.ts";

afterEach(() => vi.unstubAllEnvs());

/** What `.env` with these lines leaves of an environment, and what is told. */
function read(lines: Record<string, string>, outside: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "atlas-env-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, ".env"), text.join(""));
  const env: NodeJS.ProcessEnv = { ...outside };
  return { env, told: readDotEnv(folder, env) };
}

test.each([
  ["OPENAI_BASE_URL", "OPENAI_API_KEY"],
  ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"],
  ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"],
  ["ATLAS_DATABASE_URL", "PGPASSWORD"],
  ["STORAGE__DATABASE_URL", "PGPASSWORD"],
])("%s of .env is ignored where %s is set outside of it, and one line says so", (address, key) => {
  const stranger = "https://stranger.example/v1";
  const { env, told } = read({ [address]: stranger, OTHER: "1" }, { [key]: "secret-of-the-shell" });
  expect(env).toEqual({ [key]: "secret-of-the-shell", OTHER: "1" });
  expect(told).toHaveLength(1);
  for (const word of [address, "stranger.example", key]) expect(told[0]).toContain(word);
  expect(told[0]).not.toContain("secret-of-the-shell");
  // Another key of the same name in the file changes nothing: the one outside goes before it.
  const both = read({ [address]: stranger, [key]: "of-the-file" }, { [key]: "secret-of-the-shell" });
  expect(both.env[address]).toBeUndefined();
});

test("an address and its key of the same file are taken, and so is an address without any key", () => {
  const lines = { OPENAI_BASE_URL: "http://127.0.0.1:8000/v1", OPENAI_API_KEY: "k" };
  expect(read(lines)).toEqual({ env: lines, told: [] });
  const bare = { OPENAI_BASE_URL: "http://127.0.0.1:8000/v1", ATLAS_DATABASE_URL: "postgres://localhost/a" };
  expect(read(bare, { OPENAI_API_KEY: "" })).toEqual({ env: { OPENAI_API_KEY: "", ...bare }, told: [] });
});

test("where sessions leave the machine by an address of .env, the host is told", () => {
  const { env, told } = read({
    ATLAS_DATABASE_URL: "postgresql://u:p@db.example:5432/a",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://spans.example:4318",
    ATLAS_KAFKA_BROKERS: "kafka.example:9092",
  });
  expect(Object.keys(env)).toHaveLength(3);
  expect(told.sort()).toEqual([
    "sessions go to db.example:5432, because ATLAS_DATABASE_URL of .env says so",
    "sessions go to kafka.example:9092, because ATLAS_KAFKA_BROKERS of .env says so",
    "sessions go to spans.example:4318, because OTEL_EXPORTER_OTLP_ENDPOINT of .env says so",
  ]);
});

test("what decides how the process connects and what it runs is not taken from .env", () => {
  const names = [
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "NODE_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "HTTPS_PROXY",
    "https_proxy",
    "SSL_CERT_FILE",
    "LD_PRELOAD",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PGHOST",
    "ATLAS_CORE_PATH",
    "ATLAS_WORKER_HOST",
    "ATLAS_WORKER_TOKEN",
  ];
  const { env, told } = read(Object.fromEntries(names.map((name) => [name, "0"])));
  expect(env).toEqual({});
  expect(told).toHaveLength(1);
  for (const name of names) expect(told[0]).toContain(name);
});

test("a key of another name does not go to an address of .env either", async () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-env-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["OPENAI_BASE_URL", "OPENAI_API_KEY"]) vi.stubEnv(name, undefined);
  vi.stubEnv("MY_KEY", "secret-of-the-shell");
  writeFileSync(join(folder, ".env"), "OPENAI_BASE_URL=http://127.0.0.1:9/v1\nOPENAI_API_KEY=k\n");
  expect(readDotEnv(folder)).toEqual([]);
  const refused = "OPENAI_BASE_URL names 127.0.0.1:9, where MY_KEY, which is set elsewhere, does not go";
  expect(() => openaiModel({ model: "m", apiKeyEnv: "MY_KEY" })).toThrow(refused);
  const found = await probeModel("model", { provider: "openai", model: "m", apiKeyEnv: "MY_KEY" } as never);
  expect(found).toMatchObject({ status: "broken", detail: expect.stringContaining(refused) });
  expect((await detectModel()).why).toContain("at 127.0.0.1:9, because OPENAI_API_KEY is set");
});

test("who listens on a port is read off the system's table", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 52541 1 0",
    "   1: 0100007F:2CAA 0100007F:8F3E 01 00000000:00000000 00:00000000 00000000  1002        0 52542 1 0",
    "   2: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 52543 1 0",
  ].join("\n");
  expect(listenersIn(table, 11_434)).toEqual([1001]);
  expect(listenersIn(table, 8000)).toEqual([0]);
  expect(listenersIn(table, 1234)).toEqual([]);
});
