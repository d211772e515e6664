import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { detectModel } from "../../app/detect-model.ts";
import { isAnotherPersons } from "../../app/local-listener.ts";
import { closedPort, completion, json, startModelServer } from "../models/model-server.ts";

const VARIABLES = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL", "ATLAS_MODEL"];

beforeEach(() => {
  for (const name of [...VARIABLES, "ATLAS_OFFLINE_MODE"]) vi.stubEnv(name, "");
});
afterEach(() => vi.unstubAllEnvs());

test.each([
  [{ OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k", GEMINI_API_KEY: "k" }, "openai", "OPENAI_API_KEY is set"],
  [{ ANTHROPIC_API_KEY: "k", GEMINI_API_KEY: "k" }, "anthropic", "ANTHROPIC_API_KEY is set"],
  [{ GEMINI_API_KEY: "k" }, "gemini", "GEMINI_API_KEY is set"],
])("of the keys in the environment the first decides: %j", async (env, provider, why) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const detected = await detectModel();
  expect(detected.client).toMatchObject({ provider, simulated: false });
  expect(detected.why).toContain(why);
  expect(detected.why).not.toContain("\n");
  vi.stubEnv("ATLAS_MODEL", "my-model");
  expect((await detectModel()).client.model).toBe("my-model");
});

test("a local server that lists models is used, with the first one that can chat", async () => {
  await using server = await startModelServer(({ path }, response) =>
    path === "/v1/models"
      ? json(response, { data: [{ id: "nomic-embed-text" }, { id: "llama3.2" }] })
      : json(response, completion("hi")),
  );
  vi.stubEnv("OPENAI_BASE_URL", server.url);
  const { client, why } = await detectModel();
  expect(client).toMatchObject({ provider: "openai", model: "llama3.2", simulated: false });
  expect(why).toContain(new URL(server.url).host);
  expect((await client.complete({ messages: [] })).content).toBe("hi");
});

test("a server that is silent, refuses, or is something else does not hold up the simulation", async () => {
  await using silent = await startModelServer(() => {});
  await using refusing = await startModelServer((_, response) => json(response, {}, 401));
  await using other = await startModelServer((_, response) => void response.end("<html>hello</html>"));
  await using odd = await startModelServer((_, response) => json(response, { data: "none" }));
  const gone = `http://127.0.0.1:${await closedPort()}/v1`;
  for (const url of [silent.url, refusing.url, other.url, odd.url, gone, "not a url"]) {
    vi.stubEnv("OPENAI_BASE_URL", url);
    const { client, why } = await detectModel();
    expect(client.simulated).toBe(true);
    expect(why).toMatch(/^simulated models: no OPENAI_API_KEY/);
  }
});

test("ATLAS_OFFLINE_MODE insists on the simulation, and its off-values do not", async () => {
  vi.stubEnv("OPENAI_API_KEY", "k");
  for (const value of ["1", "true", "yes"]) {
    vi.stubEnv("ATLAS_OFFLINE_MODE", value);
    expect((await detectModel()).client.simulated).toBe(true);
  }
  for (const value of ["0", "false", "False", ""]) {
    vi.stubEnv("ATLAS_OFFLINE_MODE", value);
    expect((await detectModel()).client.simulated).toBe(false);
  }
});

// Only root can start a process of another person.
test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
  "a local server of another person is known by its port, and one of this user is not it",
  async () => {
    await using own = await startModelServer(() => {});
    expect(isAnotherPersons(Number(new URL(own.url).port))).toBe(false);
    const listen =
      'require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port) })';
    const child = spawn(process.execPath, ["-e", listen], {
      uid: 65_534,
      cwd: "/",
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    expect(isAnotherPersons(Number(line.toString()))).toBe(true);
  },
);
