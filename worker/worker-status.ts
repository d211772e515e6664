import type { Atlas } from "../app/open-atlas.ts";
import { explain } from "../errors/atlas-error.ts";
import { lagOf } from "../log/runner/caught-up.ts";
import { groupsOf } from "./worker-metrics.ts";

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

/** A worker's state as it is told by its consumers. */
export class WorkerStatus {
  private readonly waiting = new Map<string, unknown>();
  problem: unknown;

  /** Takes note that a group waits, or with undefined that it goes on. */
  retry(group: string, error: unknown | undefined): void {
    if (error === undefined) this.waiting.delete(group);
    else this.waiting.set(group, error);
  }

  /** Takes note of a consumer that stopped as unhealthy. */
  watch(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.problem ??= error;
    });
  }

  async health(atlas: Pick<Atlas, "log" | "host">): Promise<WorkerHealth> {
    const { log } = atlas;
    const groups: GroupHealth[] = [];
    let problem = this.problem;
    try {
      for (const { group, topics, assignments } of groupsOf(atlas)) {
        const lag = await lagOf(log.db!, group, await log.ends(topics));
        const waiting = this.waiting.get(group);
        groups.push({
          group,
          assignments,
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
