import { createServer, type IncomingMessage, type Server } from "node:http";
import { AtlasError, explain } from "../errors/atlas-error.ts";
import { answerScore, type Scoring } from "./score/score-route.ts";
import type { WorkerHealth } from "./worker.ts";

/** Where a worker answers. */
export interface WorkerServer {
  readonly url: string;
  close(): Promise<void>;
}

/** What a worker answers with. */
export interface WorkerAnswers {
  health: () => Promise<WorkerHealth>;
  metrics?: { contentType: string; scrape: () => Promise<string> };
  /** Answers `POST /score` where it is given. */
  score?: Scoring;
}

interface Response {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

const JSON_TYPE = "application/json";

const json = (status: number, value: unknown): Response => ({
  status,
  contentType: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
});

async function answer(
  request: IncomingMessage,
  gone: AbortSignal,
  { health, metrics, score }: WorkerAnswers,
): Promise<Response> {
  const path = (request.url ?? "").split("?", 1)[0]!;
  if (path === "/score" && score !== undefined) {
    const { status, value, headers } = await answerScore(request, score, gone);
    return { ...json(status, value), ...(headers !== undefined && { headers }) };
  }
  if (path === "/healthz") {
    const state = await health();
    return json(state.status === "unhealthy" ? 503 : 200, state);
  }
  if (path === "/metrics" && metrics !== undefined) {
    return { status: 200, contentType: metrics.contentType, body: await metrics.scrape() };
  }
  const known = ["/healthz", metrics && "/metrics", score && "/score"].filter((each) => each !== undefined);
  return json(404, { error: `only ${known.join(", ")} ${known.length === 1 ? "is" : "are"} here` });
}

/**
 * Serves `/healthz` (200 while the worker works or waits for a service, 503 when it is unhealthy), `/metrics` and
 * `/score`.
 *
 * @throws AtlasError ATLAS_USAGE when the address cannot be listened on
 */
export async function serveWorker(
  address: { host: string; port: number },
  answers: WorkerAnswers,
): Promise<WorkerServer> {
  const server: Server = createServer((request, response) => {
    const leaving = new AbortController();
    response.once("close", () => leaving.abort());
    answer(request, leaving.signal, answers)
      .catch((error: unknown) => json(503, { status: "unhealthy", problem: explain(error) }))
      .then(({ status, contentType, body, headers }) => {
        response.writeHead(status, { "content-type": contentType, ...headers }).end(body);
      });
  });
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
    url: `http://${address.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
