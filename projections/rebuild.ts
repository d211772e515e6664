import { type Database, type Queryable, UNHURRIED } from "../database/database.ts";
import { forgetSeries } from "../database/migrate.ts";
import { isTransient } from "../database/transient.ts";
import { type RetryOptions, retry } from "../errors/retry.ts";
import type { EventLog, RawRecord } from "../log/event-log.ts";
import { lockAssignments } from "../log/runner/assignment-store.ts";
import { type Place, type Positions, placeOf, positionsOf } from "../log/runner/positions.ts";
import { announceRebuild, deadRebuilds, forgetRebuild, touchRebuild } from "../log/runner/rebuilds.ts";
import { dropMarkedSources } from "../log/runner/source-store.ts";
import { TOPICS, type Topic } from "../schemas/topics.ts";
import { type GroupLimits, joined } from "./groups.ts";
import { currentSchema, prepareReadModels, seriesOf } from "./prepare-read-models.ts";
import { createReadModels } from "./read-models.ts";
import { inputsOf, Replay, recordsSetAside } from "./rebuild-replay.ts";
import { bareTables } from "./swap/bare-tables.ts";
import type { Schemas } from "./swap/catalog.ts";
import { carryIndexes, carrySettings } from "./swap/settings.ts";
import { swapTables } from "./swap/swap-tables.ts";
import { refuseUncarried } from "./swap/uncarried.ts";
import { quoteIdentifier } from "./tables.ts";

/** How to rebuild. */
export interface RebuildReadModelsOptions {
  /** The group that keeps the live tables; `read-models` unless told. */
  group?: string;
  /** Called with the number of events applied so far. */
  onProgress?: (events: number) => void;
}

/** What a rebuild did. */
export interface RebuiltReadModels {
  sessions: number;
  events: number;
}

/**
 * What other topics say comes first: then a session is written once, with all that is known of it, and there is none
 * yet that an erasure would have to take out.
 */
const PHASES: readonly (readonly Topic[])[] = [
  TOPICS.filter((topic) => topic !== "atlas.sessions"),
  ["atlas.sessions"],
];
/** Partitions that are replayed at a time. */
const LANES = 4;
/** Deadlocks and the like are waited out a few times: a rebuild may be started again, too. */
const PATIENCE: RetryOptions = { firstMs: 50, longestMs: 1000, tries: 5, passes: isTransient };
/** What one unit applies: the fewer there are, the fewer sessions are cut in two, and written twice. */
const UNIT: GroupLimits = { items: 2000, size: 8 * 1024 * 1024 };
/** Records read ahead before the swap, from each partition. */
const AHEAD = 500;

const schemaOf = (id: number): string => `atlas_rebuild_${id}`;

/**
 * Builds the read models anew from the log, in a schema beside the live tables, up to where the live ones are; then
 * puts the new tables in their place in one short transaction, with the owners, grants, row security, indexes, triggers
 * and whatever else users gave the old ones. Readers and consumers go on meanwhile. One that is killed leaves the live
 * tables as they are, and the next one clears up.
 *
 * @throws AtlasError ATLAS_DATABASE_OCCUPIED before anything is built when users made something that cannot be carried
 *   over, such as a view of the live tables; what reading the log throws
 * @example
 * const { sessions, events } = await rebuildReadModels(db, log);
 */
export async function rebuildReadModels(
  db: Database,
  log: EventLog,
  options: RebuildReadModelsOptions = {},
): Promise<RebuiltReadModels> {
  const { group = "read-models", onProgress } = options;
  const live = await currentSchema(db);
  for (const dead of await deadRebuilds(db)) await clear(db, dead);
  const id = await announceRebuild(db);
  const schema = schemaOf(id);
  try {
    await db.query(`create schema ${quoteIdentifier(schema)}`);
    await prepareReadModels(db, { schema });
    const schemas = { live, rebuilt: schema };
    const putBack = await db.transaction(async (tx) => {
      await refuseUncarried(tx, schemas);
      await carrySettings(tx, schemas);
      return bareTables(tx, schema);
    });
    const { apply } = createReadModels({ schema });
    const replay = new Replay(apply, schema, await recordsSetAside(log, group));
    const work = { db, log, group, id, replay, onProgress };
    for (let indexed = false; ; indexed = true) {
      await catchUp(work, await positionsOf(db, group));
      // Full tables are indexed at once, and before the transaction that has to be short.
      const index = async (tx: Queryable): Promise<void> => {
        await putBack(tx);
        await carryIndexes(tx, schemas);
      };
      if (!indexed) await db.transaction(index, UNHURRIED);
      const sessions = await trySwap(work, schemas, await readAhead(work));
      if (sessions === undefined) continue;
      await dropMarkedSources(db);
      return { sessions, events: replay.events };
    }
  } finally {
    await clear(db, id).catch(() => undefined);
  }
}

interface Work {
  db: Database;
  log: EventLog;
  group: string;
  id: number;
  replay: Replay;
  onProgress: ((events: number) => void) | undefined;
}

/** Removes all that a rebuild needed; its tables went away with the swap, or go now. */
const clear = (db: Database, id: number): Promise<void> =>
  db.transaction(async (tx) => {
    await tx.query(`drop schema if exists ${quoteIdentifier(schemaOf(id))} cascade`);
    await forgetSeries(tx, seriesOf(schemaOf(id)));
    await forgetRebuild(tx, id, schemaOf(id));
  }, UNHURRIED);

/** Applies the log up to these positions. */
async function catchUp(work: Work, until: Positions): Promise<void> {
  for (const topics of PHASES) await replayTopics(work, topics, until);
}

/** Applies topics up to these positions, several partitions at a time. */
async function replayTopics(
  { db, log, id, replay, onProgress }: Work,
  topics: readonly Topic[],
  until: Positions,
): Promise<void> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const lane = async (): Promise<void> => {
    for (let partition = partitions.shift(); partition !== undefined; partition = partitions.shift()) {
      for (const topic of topics) {
        const fromOffset = replay.doneAt(topic, partition);
        const untilOffset = until.get(placeOf(topic, partition)) ?? 0;
        if (fromOffset >= untilOffset) continue;
        const batches = log.readRaw([topic], { partition, fromOffset, untilOffset });
        for await (const batch of joined(batches, ({ body }) => body.length, UNIT)) {
          // Not in the unit: its row would be locked until the commit, and the lanes would take turns.
          await touchRebuild(db, id);
          await retry(() => db.transaction((tx) => replay.unit(tx, topic, partition, batch)), PATIENCE);
          replay.advance(topic, partition, batch);
          onProgress?.(replay.events);
        }
      }
    }
  };
  const stopping = (error: unknown): never => {
    partitions.length = 0;
    throw error;
  };
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, () => lane().catch(stopping)));
  const failed = lanes.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** The next records of every partition: consumers may have applied some of them by the time of the swap. */
async function readAhead({ log, replay }: Work): Promise<Map<Place, RawRecord[]>> {
  const ahead = new Map<Place, RawRecord[]>();
  const ends = await log.ends(TOPICS);
  for (const { topic, partition } of inputsOf(log.partitions)) {
    const fromOffset = replay.doneAt(topic, partition);
    const untilOffset = Math.min(ends.get(topic)![partition] ?? 0, fromOffset + AHEAD);
    if (fromOffset >= untilOffset) continue;
    for await (const batch of log.readRaw([topic], { partition, fromOffset, untilOffset })) {
      ahead.set(placeOf(topic, partition), [...batch]);
      break;
    }
  }
  return ahead;
}

/**
 * Stops the group's consumers for one transaction, applies what they did meanwhile, and swaps.
 *
 * @returns how many sessions there are; undefined when the consumers were further than what was read ahead
 */
async function trySwap(
  { db, log, group, replay, onProgress }: Work,
  schemas: Schemas,
  ahead: ReadonlyMap<Place, RawRecord[]>,
): Promise<number | undefined> {
  const applied: { topic: Topic; partition: number; records: RawRecord[] }[] = [];
  const swap = async (tx: Queryable): Promise<number | undefined> => {
    applied.length = 0;
    await lockAssignments(tx, group);
    const checkpoints = await positionsOf(tx, group);
    for (const { topic, partition } of inputsOf(log.partitions)) {
      const place = placeOf(topic, partition);
      const until = checkpoints.get(place) ?? 0;
      const from = replay.doneAt(topic, partition);
      if (until <= from) continue;
      const records = (ahead.get(place) ?? []).filter(({ offset }) => offset < until);
      if ((records.at(-1)?.offset ?? from - 1) + 1 < until) return undefined;
      applied.push({ topic, partition, records });
    }
    for (const { topic, partition, records } of applied) await replay.unit(tx, topic, partition, records);
    const { rows } = await tx.query<{ count: number }>(
      `select count(*)::float8 as count from ${quoteIdentifier(schemas.rebuilt)}.sessions`,
    );
    await swapTables(tx, schemas);
    return rows[0]!.count;
  };
  try {
    const sessions = await db.transaction(swap, UNHURRIED);
    if (sessions === undefined) return undefined;
    for (const { topic, partition, records } of applied) replay.advance(topic, partition, records);
    onProgress?.(replay.events);
    return sessions;
  } catch (error) {
    if (isTransient(error) && (error as { code?: unknown }).code === "40P01") return undefined;
    throw error;
  }
}
