import type { Atlas } from "../app/open-atlas.ts";
import { explain, isAtlasError } from "../errors/atlas-error.ts";
import type { LogNotice } from "../log/event-log.ts";
import { lagOf } from "../log/runner/caught-up.ts";
import { boundedLook, type LookLimits, type Seen } from "./bounded-look.ts";
import { groupsOf } from "./worker-metrics.ts";

/** How one consumer group is doing. */
export interface GroupHealth {
  group: string;
  /** Partitions that this worker owns. */
  assignments: readonly number[];
  /** Records in the log that the group has not applied, over all workers; undefined while the log does not answer. */
  lag?: number;
  /** Why it waits, while it does. */
  waiting?: string;
}

/** What `/healthz` answers. */
export interface WorkerHealth {
  /**
   * `ok`, `waiting` (for a service, or for somebody to mend something; work goes on by itself then), or `unhealthy`: a
   * consumer stopped, or what it derives is refused by the log.
   */
  status: "ok" | "waiting" | "unhealthy";
  /** `answers` is whether the log and its database did when they were last looked at. */
  log: { id: string; kind: string; answers: boolean };
  groups: GroupHealth[];
  problem?: string;
  /** What could be safer about the log. */
  warnings?: string[];
}

type Measured = Pick<Atlas, "log" | "host">;
type Lags = ReadonlyMap<string, number>;

async function lagsOf(atlas: Measured): Promise<Lags> {
  const { log } = atlas;
  const lags = new Map<string, number>();
  for (const { group, topics } of groupsOf(atlas)) {
    const lag = await lagOf(log.db!, group, await log.ends(topics));
    lags.set(
      group,
      lag.reduce((sum, { behind }) => sum + behind, 0),
    );
  }
  return lags;
}

/** A worker's state as it is told by its consumers. */
export class WorkerStatus {
  private readonly waiting = new Map<string, unknown>();
  private readonly limits: LookLimits;
  private look: (() => Promise<Seen<Lags>>) | undefined;
  private notices: readonly LogNotice[] = [];
  problem: unknown;

  constructor(limits: LookLimits = {}) {
    this.limits = limits;
  }

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

  /** Takes note of how the log was found. */
  found(notices: readonly LogNotice[]): void {
    this.notices = notices;
  }

  /** How many things are wrong with the log. */
  get broken(): number {
    return this.notices.filter(({ level }) => level === "broken").length;
  }

  /** How the worker is doing, within a second whatever is down. */
  async health(atlas: Measured): Promise<WorkerHealth> {
    const { log } = atlas;
    this.look ??= boundedLook(() => lagsOf(atlas), this.limits);
    const seen = await this.look();
    const groups = groupsOf(atlas).map(({ group, assignments }): GroupHealth => {
      const waiting = this.waiting.get(group);
      const lag = "value" in seen ? seen.value.get(group) : undefined;
      return {
        group,
        assignments,
        ...(lag !== undefined && { lag }),
        ...(waiting !== undefined && { waiting: explain(waiting) }),
      };
    });
    const refused = [...this.waiting.values()].find((error) => isAtlasError(error, "ATLAS_PUBLISH_REFUSED"));
    const broken = this.notices.find(({ level }) => level === "broken")?.error;
    const warnings = this.notices.flatMap(({ level, error }) => (level === "warning" ? explain(error) : []));
    const stopped = this.problem ?? refused ?? broken;
    const problem = stopped ?? ("error" in seen ? seen.error : undefined);
    const waits = problem !== undefined || this.waiting.size > 0;
    return {
      status: stopped !== undefined ? "unhealthy" : waits ? "waiting" : "ok",
      log: { id: log.id, kind: log.kind, answers: "value" in seen },
      groups,
      ...(problem !== undefined && { problem: explain(problem) }),
      ...(warnings.length > 0 && { warnings }),
    };
  }
}
