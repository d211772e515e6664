import type { ServerResponse } from "node:http";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { json, startModelServer } from "../models/model-server.ts";
import { sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { hostileAtlas, type Told } from "./hostile-run.ts";
import { brokenJson, KEYS, PROVIDERS, type Provider, refuse } from "./providers.ts";

const run = hostileAtlas();
beforeEach(() => {
  for (const name of KEYS) vi.stubEnv(name, "key-0123456789");
});

/** Answers a request of a provider's API, the first of them perhaps in another way than the others. */
type Hostility = (provider: Provider, response: ServerResponse, asked: number) => void;

/** Runs one session against the hostility, and says how often the server was asked. */
async function against(
  provider: Provider,
  hostility: Hostility,
  options: { stream?: boolean; timeoutMs?: number; maxRetries?: number } = {},
): Promise<Told & { requests: number }> {
  let asked = 0;
  await using server = await startModelServer((_, response) => hostility(provider, response, ++asked));
  const agent = provider.agent({
    model: "m",
    baseUrl: server.url,
    maxRetries: 1,
    timeoutMs: 5000,
    ...options,
  });
  const [told] = await run({ agent });
  return { ...told!, requests: server.requests.length };
}

const students = ({ events }: Told) =>
  only(events, "ModelCallEnded").filter(({ role }) => role === "student");
const ok = (provider: Provider, response: ServerResponse): void => json(response, provider.answer("hello"));

/** What comes back to life within the tries that there are. */
const PASSING: [string, Hostility, { stream?: boolean; timeoutMs?: number }?][] = [
  [
    "is slower than its timeout",
    (provider, response, asked) => (asked === 1 ? undefined : ok(provider, response)),
    { timeoutMs: 2000 },
  ],
  [
    "limits its rate for a second",
    (provider, response, asked) =>
      asked === 1 ? refuse(response, 429, { "retry-after": "1" }) : ok(provider, response),
  ],
  [
    "limits its rate until a date",
    (provider, response, asked) =>
      asked === 1
        ? refuse(response, 429, { "retry-after": new Date(Date.now() + 2000).toUTCString() })
        : ok(provider, response),
  ],
  [
    "fails with 500 once",
    (provider, response, asked) => (asked === 1 ? refuse(response, 500) : ok(provider, response)),
  ],
  [
    "hangs up once",
    (provider, response, asked) => (asked === 1 ? response.destroy() : ok(provider, response)),
  ],
  [
    "cuts its stream once",
    (provider, response, asked) => {
      const pieces = provider.pieces("hello");
      if (asked > 1) return sse(response, pieces);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(pieces[0])}\n\ndata: {"id": "c", "cho`, () =>
        response.destroy(),
      );
    },
    { stream: true },
  ],
  [
    "ends its stream early once",
    (provider, response, asked) => {
      const pieces = provider.pieces("hello");
      return asked === 1 ? sse(response, pieces.slice(0, 1), false) : sse(response, pieces);
    },
    { stream: true },
  ],
  [
    "gives up in the middle of a stream once, being overloaded",
    (provider, response, asked) => {
      const pieces = provider.pieces("hello");
      return asked === 1
        ? sse(response, [...pieces.slice(0, 3), provider.midStreamError], false)
        : sse(response, pieces);
    },
    { stream: true },
  ],
];

/** What stays as it is, and how many tries it is worth where one retry is allowed. */
const FAILING: [string, Hostility, number, RegExp, { stream?: boolean; timeoutMs?: number }?][] = [
  ["never answers", () => {}, 2, /did not answer within 2000 ms/, { timeoutMs: 2000 }],
  ["fails with 500", (_, response) => refuse(response, 500, { "retry-after-ms": "1" }), 2, /500/],
  ["refuses with 400", (_, response) => refuse(response, 400), 1, /400/],
  ["refuses with 401", (_, response) => refuse(response, 401), 1, /401/],
  ["refuses with 404", (_, response) => refuse(response, 404), 1, /404/],
  ["refuses with 422", (_, response) => refuse(response, 422), 1, /422/],
  ["sends half a JSON body", (_, response) => brokenJson(response, '{"choices": [{"mess'), 1, /JSON/],
  ["sends a JSON body that is no object", (_, response) => brokenJson(response, "null"), 1, /without/],
  [
    "sends a web page",
    (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hello</h1>"),
    1,
    /without/,
  ],
  ["sends nothing", (_, response) => response.writeHead(200).end(), 1, /without|JSON/],
  ["answers without an answer", (provider, response) => json(response, provider.empty), 1, /without/],
  [
    "ends every stream early",
    (provider, response) => sse(response, provider.pieces("hi").slice(0, 1), false),
    2,
    /middle/,
    { stream: true },
  ],
];

const REFUSED_MIDWAY: Record<Provider["name"], { type?: string }> = {
  openai: { error: { message: "too long", type: "BadRequestError", code: 400 } } as object,
  gemini: { error: { message: "unsafe", type: "content_filter" } } as object,
  anthropic: { type: "error", error: { type: "invalid_request_error", message: "too long" } } as object,
};
FAILING.push([
  "refuses in the middle of a stream",
  (provider, response) =>
    sse(response, [...provider.pieces("hi").slice(0, 2), REFUSED_MIDWAY[provider.name]], false),
  1,
  /too long|unsafe/,
  { stream: true },
]);

/** Which of them are outages, so that nobody judges the session. */
const UNAVAILABLE = /never answers|500|401|404|ends every stream early/;

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))("%s", (_, provider) => {
  test.concurrent.each(PASSING)(
    "a server that %s is asked again, within one recorded call",
    async (name, hostility, options) => {
      const told = await against(provider, hostility, options);
      expect(told.result).toMatchObject({ status: "succeeded", finalAnswer: "hello" });
      expect(told.requests).toBe(2);
      const [call, ...others] = students(told);
      expect(others).toEqual([]);
      expect(call).toMatchObject({ content: "hello", error: null, tries: 2, step_id: 1, attempt: 1 });
      expect(call?.provider).toBe(provider.name);
      expect(told.result.tokens).toMatchObject({ failed: 0, retries: 1 });
      if (/limits/.test(name)) expect(call?.duration_us).toBeGreaterThan(900_000);
    },
  );

  test.concurrent.each(FAILING)(
    "a server that %s ends the session as failed, with one failed call",
    async (name, hostility, tries, why, options) => {
      const code = UNAVAILABLE.test(name) ? "ATLAS_MODEL_UNAVAILABLE" : "ATLAS_MODEL_FAILED";
      const told = await against(provider, hostility, options);
      expect(told.requests).toBe(tries);
      expect(told.result).toMatchObject({ status: "failed", error: { code } });
      expect(told.result.reward === undefined).toBe(code === "ATLAS_MODEL_UNAVAILABLE");
      expect(told.result.finalAnswer).toBeUndefined();
      const [call, ...others] = students(told);
      expect(others).toEqual([]);
      expect(call).toMatchObject({ content: null, tries, usage: null });
      expect(call?.error).toMatch(new RegExp(`^${code}: `));
      expect(call?.error).toMatch(why);
      expect(only(told.events, "AttemptEnded")).toMatchObject([{ status: "failed", error: call?.error }]);
      expect(only(told.events, "StepEnded")).toMatchObject([{ status: "failed", attempts: 1 }]);
      expect(only(told.events, "StepValidated")).toEqual([]);
      expect(JSON.stringify(told.events)).not.toContain("key-0123456789");
    },
  );
});
