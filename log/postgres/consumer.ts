import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import type { Masking } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Apply, ConsumeOptions, Consumer } from "../event-log.ts";
import { type Assignment, claimAssignment, digestOf, waitsForUpgrade } from "../runner/assignment.ts";
import { memberName } from "../runner/member.ts";
import { appendRecords, readBatch, readEnds } from "./event-store.ts";
import { openLeases, RENEW_MS } from "./leases.ts";
import type { Wake } from "./wake.ts";

/** What a consumer needs of the log that it reads. */
export interface PostgresConsumerOptions extends ConsumeOptions {
  log: {
    id: string;
    partitions: number;
    db: Database;
    wake: Wake;
    sameHost: boolean;
    mask: Masking;
  };
  /** How many assignments are worked on at a time. */
  concurrency: number;
}

/** How long a member with nothing to do waits before it looks again for what other processes appended. */
const POLL_MS = 100;

/** Starts a member of a group on the postgres log. */
export async function startPostgresConsumer(
  options: PostgresConsumerOptions,
  apply: Apply,
): Promise<Consumer> {
  const { group, topics, log } = options;
  const db = log.db;
  const member = memberName();
  const leases = openLeases(db, group, member, log.partitions, log.id, log.sameHost);
  const owned = new Map<number, Assignment>();
  let stopped = false;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let waiting = false;

  const claim = async (partition: number): Promise<void> => {
    const assignment = await claimAssignment({
      ...options,
      db,
      logId: log.id,
      partition,
      partitions: log.partitions,
      member,
      batchSize: options.batchSize ?? 500,
      apply,
      mask: log.mask,
      appendInUnit: appendRecords,
      onCommit: () => log.wake.notify(),
    });
    for (const topic of topics) await checkPlace(db, group, assignment, topic);
    owned.set(partition, assignment);
    options.onAssignmentChange?.(partition);
  };

  const drop = async (partition: number): Promise<void> => {
    const assignment = owned.get(partition);
    owned.delete(partition);
    await assignment?.release();
    options.onAssignmentChange?.(partition);
  };

  const renew = async (): Promise<void> => {
    const held = new Set(await leases.renew());
    renewedAt = performance.now();
    for (const partition of [...owned.keys()]) if (!held.has(partition)) await drop(partition);
    for (const partition of held) if (!owned.has(partition)) await claim(partition);
  };

  const advance = async (assignment: Assignment, topic: Topic, end: number): Promise<void> => {
    const records = await readBatch(db, topic, assignment.partition, assignment.nextOffset(topic), end);
    try {
      await assignment.apply(topic, records);
    } catch (error) {
      if (!isAtlasError(error, "ATLAS_ASSIGNMENT_LOST")) throw error;
      await drop(assignment.partition);
    }
  };

  /** One pass over everything that is behind; says whether there was anything. */
  const pass = async (): Promise<boolean> => {
    const ends = await readEnds(db, topics);
    const work: (() => Promise<void>)[] = [];
    for (const assignment of owned.values()) {
      const behind = topics.filter(
        (topic) => (ends.get(topic)?.[assignment.partition] ?? 0) > assignment.nextOffset(topic),
      );
      if (behind.length === 0) continue;
      work.push(async () => {
        for (const topic of behind) await advance(assignment, topic, ends.get(topic)![assignment.partition]!);
      });
    }
    const any = work.length > 0;
    const lane = async (): Promise<void> => {
      for (let next = work.shift(); next !== undefined && !stopped; next = work.shift()) await next();
    };
    await Promise.all(Array.from({ length: options.concurrency }, lane));
    return any;
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      const seen = log.wake.count;
      try {
        if (performance.now() - renewedAt >= RENEW_MS) await renew();
        const more = await pass();
        if (waiting) options.onRetry?.(undefined);
        waiting = false;
        if (!more && !stopped) await log.wake.after(seen, POLL_MS);
      } catch (error) {
        waiting = true;
        if (waitsForUpgrade(error)) {
          options.onRetry?.(error);
          await log.wake.after(log.wake.count, RENEW_MS);
        } else if (isTransient(error) && !stopped) {
          options.onRetry?.(error);
          await log.wake.after(log.wake.count, POLL_MS);
        } else if (!stopped) {
          throw error;
        }
      }
    }
  };

  // A database that is away for a moment is waited for like later.
  await renew().catch((error: unknown) => {
    if (!isTransient(error)) throw error;
    renewedAt = Number.NEGATIVE_INFINITY;
  });
  const keepAlive = setInterval(() => {
    if (!stopped && performance.now() - renewedAt >= RENEW_MS)
      void leases.renew().then(
        () => undefined,
        () => undefined,
      );
  }, RENEW_MS);
  // Nothing else that a consumer waits for keeps the process alive.
  if (options.background === true) keepAlive.unref();
  const done = run().finally(() => clearInterval(keepAlive));
  done.catch(() => {});
  return {
    group,
    done,
    get assignments() {
      return [...owned.keys()];
    },
    stop: async () => {
      stopped = true;
      log.wake.notify();
      for (const partition of [...owned.keys()]) await drop(partition);
      await done.catch(() => {});
      await leases.release().catch(() => {});
    },
  };
}

/** Makes sure that the log still holds the record that this group applied last. */
async function checkPlace(db: Database, group: string, assignment: Assignment, topic: Topic): Promise<void> {
  const next = assignment.nextOffset(topic);
  const digest = assignment.digestAt(topic);
  if (next === 0) return;
  const [last] = await readBatch(db, topic, assignment.partition, next - 1, next, 1);
  if (last !== undefined && (digest === undefined || digestOf(last.body) === digest)) return;
  throw new AtlasError("ATLAS_LOG_REPLACED", `the log is not the one that ${group} read before`, {
    where: `${topic}[${assignment.partition}]@${next - 1}`,
    hint: "Restore the log, or rebuild from it into a fresh database.",
  });
}
