import { createServer, type IncomingMessage, type Server } from "node:http";
import { AtlasError, explain } from "../errors/atlas-error.ts";
import { stuckLoops } from "../log/runner/loops.ts";
import { type Scoring, scoreRoute } from "./score/score-route.ts";
import { authorize, type WorkerAccess } from "./worker-access.ts";
import type { WorkerHealth } from "./worker-status.ts";

/** Where a worker answers. */
export interface WorkerServer {
  readonly url: string;
  close(): Promise<void>;
}

/** What a worker answers with, and whom. */
export interface WorkerAnswers extends WorkerAccess {
  /** Answers soon, whatever is down. */
  health: () => Promise<WorkerHealth>;
  metrics?: { contentType: string; scrape: () => Promise<string> };
  /** Answers `POST /score` where it is given. */
  score?: Omit<Scoring, keyof WorkerAccess>;
  /** For how many milliseconds a look at health or metrics is good enough; 1000 unless told. */
  keepMs?: number;
}

interface Response {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

const JSON_TYPE = "application/json";
const KEEP_MS = 1000;
/** Further connections are closed. */
const MOST_CONNECTIONS = 1000;

const json = (status: number, value: unknown): Response => ({
  status,
  contentType: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
});

/** A look that everybody shares who asks while it is under way, or soon after. */
function shared<T>(look: () => Promise<T>, keepMs: number): () => Promise<T> {
  let last: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (last !== undefined && performance.now() < until) return last;
    const asked = look();
    const keep = (): void => {
      until = performance.now() + keepMs;
    };
    until = Number.POSITIVE_INFINITY;
    asked.then(keep, keep);
    last = asked;
    return asked;
  };
}

/** Whether a request may be told everything; health is told in one word to anybody, so that probes need no token. */
function isLetIn(request: IncomingMessage, access: WorkerAccess): boolean {
  try {
    authorize(request, access);
    return true;
  } catch {
    return false;
  }
}

const refused = (error: unknown): Response => ({
  ...json(401, { error: explain(error) }),
  headers: { "www-authenticate": "Bearer" },
});

type Answer = (request: IncomingMessage, gone: AbortSignal) => Promise<Response>;

function routesOf(answers: WorkerAnswers): Map<string, Answer> {
  const { metrics, score, keepMs = KEEP_MS } = answers;
  const health = shared(answers.health, keepMs);
  const routes = new Map<string, Answer>([
    [
      "/livez",
      async (request) => {
        const stuck = stuckLoops();
        const status = stuck.length === 0 ? "alive" : "stuck";
        const told = stuck.length > 0 && isLetIn(request, answers) ? { status, stuck } : { status };
        return json(stuck.length === 0 ? 200 : 503, told);
      },
    ],
    [
      "/readyz",
      async () => {
        const { status, log } = await health();
        const ready = status !== "unhealthy" && log.answers;
        return json(ready ? 200 : 503, { status: ready ? "ready" : "not ready" });
      },
    ],
    [
      "/healthz",
      async (request) => {
        const state = await health();
        const { status } = state;
        return json(status === "unhealthy" ? 503 : 200, isLetIn(request, answers) ? state : { status });
      },
    ],
  ]);
  if (metrics !== undefined) {
    const { contentType } = metrics;
    const scrape = shared(metrics.scrape, keepMs);
    routes.set("/metrics", async (request) => {
      try {
        authorize(request, answers);
      } catch (error) {
        return refused(error);
      }
      return { status: 200, contentType, body: await scrape() };
    });
  }
  if (score !== undefined) {
    const { token, loopback } = answers;
    const answerScore = scoreRoute({ ...score, token, loopback });
    routes.set("/score", async (request, gone) => {
      const { status, value, headers } = await answerScore(request, gone);
      return { ...json(status, value), ...(headers !== undefined && { headers }) };
    });
  }
  return routes;
}

async function answer(
  request: IncomingMessage,
  gone: AbortSignal,
  routes: ReadonlyMap<string, Answer>,
): Promise<Response> {
  const route = routes.get((request.url ?? "").split("?", 1)[0]!);
  if (route !== undefined) return route(request, gone);
  const known = [...routes.keys()];
  return json(404, { error: `only ${known.join(", ")} ${known.length === 1 ? "is" : "are"} here` });
}

/**
 * Serves `/livez` (200 while every loop of the process gets on), `/readyz` (200 while the log and its database answer),
 * `/healthz` (200 while the worker works or waits for a service, 503 when it is unhealthy), `/metrics` and `/score`. Whoever is not let in is told no more than the status.
 *
 * @throws AtlasError ATLAS_USAGE when the address cannot be listened on
 */
export async function serveWorker(
  address: { host: string; port: number },
  answers: WorkerAnswers,
): Promise<WorkerServer> {
  const routes = routesOf(answers);
  const server: Server = createServer((request, response) => {
    const leaving = new AbortController();
    response.once("close", () => leaving.abort());
    answer(request, leaving.signal, routes)
      .catch((error: unknown) => json(503, { status: "unhealthy", problem: explain(error) }))
      .then(({ status, contentType, body, headers }) => {
        response.writeHead(status, { "content-type": contentType, ...headers }).end(body);
      });
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const where = `${address.host}:${address.port}`;
      reject(
        new AtlasError("ATLAS_USAGE", `cannot listen: ${error.message}`, {
          where,
          hint: "Choose another --port.",
        }),
      );
    });
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return {
    url: `http://${address.host.includes(":") ? `[${address.host}]` : address.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
