import { createServer, type Server } from "node:http";
import { AtlasError, explain } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { lagOf } from "../log/runner/caught-up.ts";
import { type Pipeline, STAGES } from "./pipeline.ts";

/** How one consumer group is doing. */
export interface GroupHealth {
  group: string;
  /** Partitions that this worker owns. */
  assignments: readonly number[];
  /** Records in the log that the group has not applied, over all workers. */
  lag: number;
  /** Why it waits, while it does. */
  waiting?: string;
}

/** What `/healthz` answers. */
export interface WorkerHealth {
  /** `ok`, `waiting` (a service does not answer and work goes on when it does), or `unhealthy`. */
  status: "ok" | "waiting" | "unhealthy";
  log: { id: string; kind: string };
  groups: GroupHealth[];
  problem?: string;
}

/** A worker's state as it is told by its pipeline. */
export class WorkerStatus {
  private readonly waiting = new Map<string, unknown>();
  problem: unknown;

  /** Takes note that a group waits, or with undefined that it goes on. */
  retry(group: string, error: unknown | undefined): void {
    if (error === undefined) this.waiting.delete(group);
    else this.waiting.set(group, error);
  }

  async health(log: EventLog, pipeline: Pipeline): Promise<WorkerHealth> {
    const groups: GroupHealth[] = [];
    let problem = this.problem;
    try {
      for (const { group, topics } of STAGES) {
        const lag = await lagOf(log.db!, group, await log.ends(topics));
        const waiting = this.waiting.get(group);
        groups.push({
          group,
          assignments: pipeline.consumers.find((consumer) => consumer.group === group)?.assignments ?? [],
          lag: lag.reduce((sum, { behind }) => sum + behind, 0),
          ...(waiting !== undefined && { waiting: explain(waiting) }),
        });
      }
    } catch (error) {
      problem ??= error;
    }
    const status =
      this.problem !== undefined
        ? "unhealthy"
        : problem !== undefined || this.waiting.size > 0
          ? "waiting"
          : "ok";
    return {
      status,
      log: { id: log.id, kind: log.kind },
      groups,
      ...(problem !== undefined && { problem: explain(problem) }),
    };
  }
}

/** Where a worker answers health checks. */
export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `/healthz`: 200 while the worker works or waits for a service, 503 when it is unhealthy.
 *
 * @throws AtlasError ATLAS_USAGE when the address cannot be listened on
 */
export async function serveHealth(
  address: { host: string; port: number },
  health: () => Promise<WorkerHealth>,
): Promise<HealthServer> {
  const server: Server = createServer((request, response) => {
    if (request.url !== "/healthz") {
      response
        .writeHead(404, { "content-type": "application/json" })
        .end('{"error":"only /healthz is here"}\n');
      return;
    }
    health().then(
      (state) => {
        response.writeHead(state.status === "unhealthy" ? 503 : 200, { "content-type": "application/json" });
        response.end(`${JSON.stringify(state)}\n`);
      },
      (error: unknown) => {
        response.writeHead(503, { "content-type": "application/json" });
        response.end(`${JSON.stringify({ status: "unhealthy", problem: explain(error) })}\n`);
      },
    );
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
