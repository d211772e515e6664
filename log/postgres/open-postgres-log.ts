import { randomUUID } from "node:crypto";
import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, asAtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { RetryOptions } from "../../errors/retry.ts";
import { type Mask, maskingBy } from "../../schemas/masked.ts";
import { DEFAULT_PARTITIONS } from "../../schemas/partition.ts";
import { TOPICS, type Topic } from "../../schemas/topics.ts";
import { AppendQueue } from "../append-queue.ts";
import type {
  Apply,
  ConsumeOptions,
  Consumer,
  EventLog,
  OutgoingRecord,
  RawRecord,
  ReadRange,
} from "../event-log.ts";
import { prepareLogTables } from "../log-tables.ts";
import { toOutgoing } from "../outgoing.ts";
import { decodeRecord } from "../records.ts";
import { waitUntilCaughtUp } from "../runner/caught-up.ts";
import { checkLog } from "./check-log.ts";
import { PostgresConsumer } from "./consumer.ts";
import { defineEvents, definitionsOf } from "./define-events.ts";
import { appendRecords, boundsOf, readBatch, readEnds } from "./event-store.ts";
import { leaseTimes } from "./leases.ts";
import { News } from "./news.ts";
import { postgresRefilling } from "./refilling.ts";
import { subscribe } from "./subscription.ts";
import { Wake } from "./wake.ts";
import { Watch } from "./watch.ts";

/** How to open a log on Postgres. */
export interface PostgresLogOptions {
  db: Database;
  /** Partitions of every topic, fixed when the log is created; 8 unless told. */
  partitions?: number;
  /** What {@link EventLog.mask} takes out; nothing unless told. */
  mask?: Mask | undefined;
  /** All members run on this host: leases of dead processes are free at once, and one unit runs at a time. */
  embedded?: boolean;
}

/** How long an append is tried again while the database does not answer: readers drop what then stands there twice. */
const APPEND_PATIENCE: RetryOptions = { firstMs: 100, longestMs: 500, forMs: 5000, passes: isTransient };

async function logRow(db: Database, partitions: number): Promise<{ id: string; partitions: number }> {
  const found = await db.query<{ id: string; partitions: number }>(
    "select id, partitions from atlas_log.log",
  );
  if (found.rows[0] !== undefined) return found.rows[0];
  return db.transaction(async (tx) => {
    await tx.query("insert into atlas_log.log (id, partitions) values ($1, $2) on conflict do nothing", [
      randomUUID(),
      partitions,
    ]);
    const { rows } = await tx.query<{ id: string; partitions: number }>(
      "select id, partitions from atlas_log.log",
    );
    await tx.query(
      `insert into atlas_log.partitions (topic, partition)
       select t, p from unnest($1::text[]) as t, generate_series(0, $2::int - 1) as p on conflict do nothing`,
      [TOPICS, rows[0]!.partitions],
    );
    return rows[0]!;
  });
}

/**
 * Opens the event log in a Postgres database, a server or the embedded one, and creates it where it is missing.
 *
 * @throws AtlasError ATLAS_DATABASE_TOO_NEW, ATLAS_LOG_MISCONFIGURED, ATLAS_DATABASE_UNREACHABLE
 * @example
 * const log = await openPostgresLog({ db: await openPostgres("postgresql://localhost/atlas") });
 */
export async function openPostgresLog(options: PostgresLogOptions): Promise<EventLog> {
  const { db, embedded = false } = options;
  const mask = maskingBy(options.mask);
  await prepareLogTables(db);
  const { id, partitions } = await logRow(db, options.partitions ?? DEFAULT_PARTITIONS);
  if (options.partitions !== undefined && options.partitions !== partitions) {
    throw new AtlasError(
      "ATLAS_LOG_MISCONFIGURED",
      `the log has ${partitions} partitions, not ${options.partitions}`,
      {
        where: db.address,
        hint: "The number is fixed when a log is created: leave it out.",
      },
    );
  }
  const wake = new Wake();
  const queue = new AppendQueue<OutgoingRecord>({
    address: db.address,
    send: (batch) => appendRecords(db, batch),
    patience: APPEND_PATIENCE,
    errorOf: (failure) =>
      isTransient(failure) && !isDiskError(failure) ? unreachable(db, failure) : asAtlasError(failure),
  });
  const news = new News(db, wake);
  const watch = new Watch(db, leaseTimes(embedded).leaseMs);
  const consumers = new Set<Consumer>();
  const closing = new AbortController();

  const usable = (): void => {
    if (closing.signal.aborted)
      throw new AtlasError("ATLAS_LOG_CLOSED", "the log was closed", { where: db.address });
  };

  async function* readRaw(
    topics: readonly Topic[],
    range: ReadRange = {},
  ): AsyncIterable<readonly RawRecord[]> {
    usable();
    const ends = await readEnds(db, topics);
    for (const topic of topics) {
      for (const [partition, end] of ends.get(topic)!.entries()) {
        if (range.partition !== undefined && range.partition !== partition) continue;
        const { from, until } = await boundsOf(db, topic, partition, range, end);
        for (let next = from; next < until; ) {
          const batch = await readBatch(db, topic, partition, next, until);
          if (batch.length === 0) break;
          yield batch;
          next = batch.at(-1)!.offset + 1;
        }
      }
    }
  }

  return {
    id,
    kind: "postgres",
    partitions,
    address: db.address,
    db,
    mask,
    async define(events) {
      usable();
      await defineEvents(db, partitions, events);
    },
    definitions: () => definitionsOf(db),
    async append(events) {
      usable();
      await queue.append(toOutgoing(events, partitions));
      news.tell();
    },
    heardAt: db.heardAt,
    appendInUnit: appendRecords,
    readInUnit: async (tx, { topic, partition, offset }) =>
      (await readBatch(tx, topic, partition, offset, Number.MAX_SAFE_INTEGER)).map(decodeRecord),
    announce: () => news.tell(),
    refilling: postgresRefilling(db),
    async *read(topics, range) {
      for await (const batch of readRaw(topics, range)) yield batch.map(decodeRecord);
    },
    readRaw,
    ends: (topics) => readEnds(db, topics),
    async consume(consume: ConsumeOptions, apply: Apply) {
      usable();
      const consumer = new PostgresConsumer(
        {
          ...consume,
          concurrency: embedded ? 1 : 4,
          log: { id, partitions, db, wake, news, watch, sameHost: embedded, mask },
        },
        apply,
      );
      consumers.add(consumer);
      return consumer;
    },
    subscribe(options) {
      usable();
      const signal = AbortSignal.any([
        closing.signal,
        ...(options.signal === undefined ? [] : [options.signal]),
      ]);
      return subscribe({ id, partitions, db, wake, news, watch, sameHost: embedded }, { ...options, signal });
    },
    caughtUp: (group, ends, waiting) => waitUntilCaughtUp(db, group, ends, waiting),
    check: () => checkLog(db),
    async close() {
      closing.abort();
      wake.notify();
      news.close();
      await Promise.all([queue.close(), ...[...consumers].map((consumer) => consumer.stop())]);
    },
  };
}

const isDiskError = (error: unknown): boolean =>
  isAtlasError(error, "ATLAS_DISK_FAILED") || isAtlasError(error, "ATLAS_DISK_FULL");

const unreachable = (db: Database, error: unknown): AtlasError =>
  new AtlasError("ATLAS_LOG_UNREACHABLE", `appending failed: ${messageOf(error)}`, {
    where: db.address,
    hint: "Appending the same events again is safe.",
    retryable: true,
    cause: error,
  });
