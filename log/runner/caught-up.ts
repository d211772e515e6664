import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Ends } from "../event-log.ts";
import { placeOf, positionsOf } from "./positions.ts";

/** How long to wait for consumers, and what can end the wait. */
export interface CaughtUpOptions {
  /** Milliseconds without any progress after which the wait is given up; 30,000 unless told. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A partition in which a group has still to go on. */
export interface Lag {
  topic: Topic;
  partition: number;
  behind: number;
}

/** How far a group is behind these ends, by partition. */
export async function lagOf(db: Database, group: string, ends: Ends): Promise<Lag[]> {
  const positions = await positionsOf(db, group);
  const lag: Lag[] = [];
  for (const [topic, offsets] of ends) {
    offsets.forEach((end, partition) => {
      const behind = end - (positions.get(placeOf(topic, partition)) ?? 0);
      if (behind > 0) lag.push({ topic, partition, behind });
    });
  }
  return lag;
}

async function outboxIsEmpty(db: Database, group: string): Promise<boolean> {
  const { rows } = await db.query<{ waiting: boolean }>(
    "select exists (select from atlas_log.outbox where group_id = $1) as waiting",
    [group],
  );
  return rows[0]?.waiting === false;
}

/**
 * Resolves when a group has applied everything up to these ends and all that it emitted is in the log.
 *
 * @throws AtlasError ATLAS_CONSUMER_BEHIND when it makes no progress for a while, naming a partition that lags
 */
export async function waitUntilCaughtUp(
  db: Database,
  group: string,
  ends: Ends,
  options: CaughtUpOptions = {},
): Promise<void> {
  const patience = options.timeoutMs ?? 30_000;
  let least = Number.POSITIVE_INFINITY;
  let until = 0;
  for (let pause = 5; ; pause = Math.min(100, pause * 1.5)) {
    options.signal?.throwIfAborted();
    const lag = await lagOf(db, group, ends);
    const outboxEmpty = await outboxIsEmpty(db, group);
    if (lag.length === 0 && outboxEmpty) return;
    const behind = lag.reduce((sum, partition) => sum + partition.behind, outboxEmpty ? 0 : 1);
    if (behind < least) {
      least = behind;
      until = performance.now() + patience;
    } else if (performance.now() > until) {
      throw behindError(group, lag[0], patience);
    }
    await sleep(pause);
  }
}

function behindError(group: string, first: Lag | undefined, patience: number): AtlasError {
  return new AtlasError("ATLAS_CONSUMER_BEHIND", `${group} made no progress for ${patience / 1000} s`, {
    where:
      first === undefined
        ? "its outbox"
        : `${first.topic}[${first.partition}] is ${first.behind} records behind`,
    hint: "See that `atlas worker` is running and healthy, then try again.",
    retryable: true,
  });
}
