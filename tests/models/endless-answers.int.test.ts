import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { detectModel } from "../../app/detect-model.ts";
import { limitedFetch, limitedText } from "../../guards/limited-body.ts";
import { Registry } from "../../log/kafka/registry.ts";
import { anthropicModel } from "../../models/anthropic.ts";
import type { ModelClient } from "../../models/model-client.ts";
import { openaiModel } from "../../models/openai.ts";
import { MOST_ANSWER_BYTES } from "../../models/sdk-options.ts";
import { httpText } from "../../producers/agents/http-request.ts";
import { startModelServer } from "./model-server.ts";

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(MIB, `${" ".repeat(1023)}\n`);

let sent = 0;

/** Goes on as long as somebody reads; nobody here reads as much as it would send. */
async function endless(response: ServerResponse, type = "application/json"): Promise<void> {
  sent = 0;
  response.setMaxListeners(0);
  response.writeHead(200, { "content-type": type });
  while (!response.destroyed && sent < 1024 * MIB) {
    sent += PIECE.length;
    if (!response.write(PIECE)) {
      await new Promise<void>((resolve) => {
        response.once("drain", resolve);
        response.once("close", resolve);
      });
    }
  }
}

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"]) vi.stubEnv(name, "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

const REQUEST = { method: "POST", headers: {}, body: "{}", timeoutMs: 60_000, maxRetries: 2 };

test("an agent's server that answers without end fails once, with what to do, and is read no further", async () => {
  await using server = await startModelServer((_, response) => endless(response));
  const { signal } = new AbortController();
  const asked = httpText({ ...REQUEST, url: server.url, maxBytes: 2 * MIB, signal });
  await expect(asked).rejects.toMatchObject({
    code: "ATLAS_ANSWER_TOO_LARGE",
    message: "the agent's server answered with more than 2 MiB",
    hint: expect.stringContaining("max_answer_mb"),
  });
  expect(server.requests).toHaveLength(1);
  expect(sent).toBeLessThan(64 * MIB);
});

test.each<[string, (baseUrl: string) => ModelClient]>([
  ["openai", (baseUrl) => openaiModel({ model: "m", baseUrl })],
  ["openai, streamed", (baseUrl) => openaiModel({ model: "m", baseUrl, stream: true })],
  ["anthropic", (baseUrl) => anthropicModel({ model: "m", baseUrl })],
])(
  "a provider that answers without end is read as far as the limit, and not asked again: %s",
  async (_, make) => {
    await using server = await startModelServer((_, response) => endless(response));
    const asked = make(server.url).complete({ messages: [{ role: "user", content: "hi" }] });
    await expect(asked).rejects.toMatchObject({ code: "ATLAS_ANSWER_TOO_LARGE" });
    expect(server.requests).toHaveLength(1);
    expect(sent).toBeLessThan(2 * MOST_ANSWER_BYTES);
  },
);

test("a registry and a list of models that do not end are refused", async () => {
  await using server = await startModelServer((_, response) => endless(response));
  await expect(new Registry(server.url).fingerprintOf(1)).rejects.toMatchObject({
    code: "ATLAS_REGISTRY_UNREACHABLE",
    message: expect.stringContaining("more than 8 MiB"),
    retryable: false,
  });
  vi.stubEnv("OPENAI_API_KEY", "");
  vi.stubEnv("ANTHROPIC_API_KEY", "");
  vi.stubEnv("OPENAI_BASE_URL", server.url);
  expect((await detectModel()).client.simulated).toBe(true);
});

test("what stays within the limit comes whole, also without a body and with an odd status", async () => {
  await using server = await startModelServer(({ path }, response) => {
    if (path.endsWith("/none")) response.writeHead(204).end();
    else if (path.endsWith("/odd")) response.writeHead(999).end("odd");
    else response.end("é".repeat(500));
  });
  const get = limitedFetch(1000);
  expect(await (await get(`${server.url}/text`)).text()).toBe("é".repeat(500));
  expect(await limitedText(await get(`${server.url}/none`), 10)).toBe("");
  expect((await get(`${server.url}/odd`)).status).toBe(599);
  await expect(limitedText(await fetch(`${server.url}/text`), 999)).rejects.toMatchObject({
    message: "the server answered with more than 999 bytes",
  });
});
