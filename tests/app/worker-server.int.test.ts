import { request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { Loop } from "../../log/runner/loops.ts";
import { serveWorker, type WorkerAnswers } from "../../worker/worker-server.ts";

const STATE = { status: "ok" as const, log: { id: "the-log", kind: "embedded", answers: true }, groups: [] };

async function served(answers: Partial<WorkerAnswers> = {}, host = "127.0.0.1"): Promise<string> {
  const server = await serveWorker(
    { host, port: 0 },
    {
      health: async () => STATE,
      metrics: { contentType: "text/plain", scrape: async () => "the-metrics" },
      token: undefined,
      loopback: true,
      ...answers,
    },
  );
  onTestFinished(() => server.close());
  return server.url;
}

/** Like `fetch`, with any Host. */
const ask = (url: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, (response) => {
      response.setEncoding("utf8");
      let text = "";
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode!, text }));
    })
      .on("error", reject)
      .end();
  });

test("on this machine everybody on it is told everything, and a page of another site only that it works", async () => {
  const url = await served();
  expect(JSON.parse((await ask(`${url}/healthz`)).text)).toEqual(STATE);
  expect((await ask(`${url}/metrics`)).text).toBe("the-metrics");
  const rebound = { host: "evil.example" };
  expect(JSON.parse((await ask(`${url}/healthz`, rebound)).text)).toEqual({ status: "ok" });
  const metrics = await ask(`${url}/metrics`, rebound);
  expect([metrics.status, metrics.text.includes("the-metrics")]).toEqual([401, false]);
});

test("open to the network, who has no token is told only whether it works", async () => {
  const bare = await served({ loopback: false });
  expect(JSON.parse((await ask(`${bare}/healthz`)).text)).toEqual({ status: "ok" });
  const without = await ask(`${bare}/metrics`);
  expect(without.status).toBe(401);
  expect(without.text).toContain("ATLAS_WORKER_TOKEN");
  const url = await served({ loopback: false, token: "s3cret" });
  expect((await ask(`${url}/metrics`, { authorization: "Bearer wrong" })).status).toBe(401);
  const right = { authorization: "Bearer s3cret" };
  expect((await ask(`${url}/metrics`, right)).text).toBe("the-metrics");
  expect(JSON.parse((await ask(`${url}/healthz`, right)).text)).toEqual(STATE);
  const failing = await served({ loopback: false, health: async () => ({ ...STATE, status: "unhealthy" }) });
  expect(await ask(`${failing}/healthz`)).toEqual({ status: 503, text: '{"status":"unhealthy"}\n' });
});

test("a log that does not answer makes a worker unready, and not dead", async () => {
  const url = await served();
  expect(await ask(`${url}/livez`)).toEqual({ status: 200, text: '{"status":"alive"}\n' });
  expect(await ask(`${url}/readyz`)).toEqual({ status: 200, text: '{"status":"ready"}\n' });
  const away = { ...STATE, status: "waiting" as const, log: { ...STATE.log, answers: false } };
  const waiting = await served({ health: async () => away });
  expect(await ask(`${waiting}/livez`)).toEqual({ status: 200, text: '{"status":"alive"}\n' });
  expect(await ask(`${waiting}/readyz`)).toEqual({ status: 503, text: '{"status":"not ready"}\n' });
  expect((await ask(`${waiting}/healthz`)).status).toBe(200);
});

test("a loop that gets on no more makes a worker dead, and is named to who is let in", async () => {
  const url = await served();
  const loop = new Loop("consumer/hung", 0);
  onTestFinished(() => loop.end());
  expect(await ask(`${url}/livez`)).toEqual({
    status: 503,
    text: '{"status":"stuck","stuck":["consumer/hung"]}\n',
  });
  expect((await ask(`${url}/livez`, { host: "evil.example" })).text).toBe('{"status":"stuck"}\n');
  loop.tried(600_000);
  expect((await ask(`${url}/livez`)).status).toBe(200);
});

test("however many ask at a time, the log is looked at once", async () => {
  let looks = 0;
  let answer = (): void => undefined;
  const look = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const url = await served({
    health: async () => {
      looks += 1;
      await look;
      return STATE;
    },
    metrics: {
      contentType: "text/plain",
      scrape: async () => {
        looks += 1;
        await look;
        return "m";
      },
    },
    keepMs: 600_000,
  });
  const asked = Array.from({ length: 60 }, (_, at) => ask(`${url}/${at % 2 === 0 ? "healthz" : "metrics"}`));
  answer();
  expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
  await ask(`${url}/healthz`);
  expect(looks).toBe(2);
});

test("a look that fails is not kept for ever", async () => {
  let looks = 0;
  const url = await served({
    metrics: {
      contentType: "text/plain",
      scrape: async () => {
        looks += 1;
        if (looks === 1) throw new Error("not now");
        return "m";
      },
    },
    keepMs: 0,
  });
  expect((await ask(`${url}/metrics`)).status).toBe(503);
  expect((await ask(`${url}/metrics`)).status).toBe(200);
});

test("the address of IPv6 is written as URLs have it", async () => {
  const url = await served({}, "::1");
  expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});
