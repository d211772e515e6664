import type { Database, Queryable } from "../database/database.ts";
import type { Processor } from "../processors/processor.ts";
import { type KeyState, otherVersion } from "../processors/run-processor.ts";

/** Names the states of one assignment of a processor. */
export interface StatePlace {
  group: string;
  partition: number;
}

interface StateRow {
  key: string;
  version: number;
  emitted: number;
  state: string | null;
}

/** What keys of an assignment have, undefined for those that keep nothing. */
export type KeyStates<State = unknown> = ReadonlyMap<string, KeyState<State> | undefined>;

/** Rows of one statement: more freeze an embedded database. */
const ROWS = 500;

/** The saved states of these keys. */
export async function loadStates<State>(
  tx: Queryable,
  { group, partition }: StatePlace,
  keys: readonly string[],
): Promise<Map<string, KeyState<State>>> {
  const { rows } = await tx.query<StateRow>(
    `select key, version, emitted::float8 as emitted, state from atlas_log.state
      where group_id = $1 and partition = $2 and key = any($3)`,
    [group, partition, keys],
  );
  return new Map(
    rows.map((row) => {
      const state = row.state === null ? undefined : (JSON.parse(row.state) as State);
      return [row.key, { state, version: row.version, emitted: row.emitted }];
    }),
  );
}

/** Saves states, and drops those of keys that keep nothing. */
export async function saveStates<State>(
  tx: Queryable,
  { group, partition }: StatePlace,
  states: KeyStates<State>,
): Promise<void> {
  const kept = [...states].filter((entry): entry is [string, KeyState<State>] => entry[1] !== undefined);
  const dropped = [...states.keys()].filter((key) => states.get(key) === undefined);
  if (dropped.length > 0) {
    await tx.query("delete from atlas_log.state where group_id = $1 and partition = $2 and key = any($3)", [
      group,
      partition,
      dropped,
    ]);
  }
  for (let from = 0; from < kept.length; from += ROWS) {
    const rows = kept.slice(from, from + ROWS);
    await tx.query(
      `insert into atlas_log.state (group_id, partition, key, version, emitted, state)
       select $1, $2, s.* from unnest($3::text[], $4::int[], $5::bigint[], $6::text[]) as s(key, version, emitted, state)
       on conflict (group_id, partition, key) do update
          set version = excluded.version, emitted = excluded.emitted, state = excluded.state`,
      [
        group,
        partition,
        rows.map(([key]) => key),
        rows.map(([, { version }]) => version),
        rows.map(([, { emitted }]) => emitted),
        rows.map(([, { state }]) => (state === undefined ? null : JSON.stringify(state))),
      ],
    );
  }
}

/**
 * Puts states that were computed anew in the place of all that an assignment has. What each key has emitted stays
 * counted: its source must never say a sequence twice.
 */
export async function replaceStates(
  tx: Queryable,
  { group, partition }: StatePlace,
  version: number,
  states: KeyStates,
): Promise<void> {
  const { rows } = await tx.query<{ key: string; emitted: number }>(
    `delete from atlas_log.state where group_id = $1 and partition = $2 returning key, emitted::float8 as emitted`,
    [group, partition],
  );
  const counts = new Map(rows.map(({ key, emitted }) => [key, emitted]));
  const renewed = new Map<string, KeyState>();
  for (const key of new Set([...states.keys(), ...counts.keys()])) {
    const state = states.get(key)?.state;
    const emitted = counts.get(key) ?? 0;
    if (state !== undefined || emitted > 0) renewed.set(key, { state, version, emitted });
  }
  await saveStates(tx, { group, partition }, renewed);
}

/**
 * The partitions in which a processor has state of an earlier version, with the earliest.
 *
 * @throws AtlasError ATLAS_PROCESSOR_OUTDATED where a later version than this process has went on
 */
export async function outdatedPartitions(
  db: Database,
  { name, version }: Pick<Processor, "name" | "version">,
): Promise<Map<number, number>> {
  const { rows } = await db.query<{ partition: number; version: number }>(
    `select partition, case when max(version) > $2 then max(version) else min(version) end as version
       from atlas_log.state where group_id = $1 and version <> $2 group by partition order by partition`,
    [name, version],
  );
  const newer = rows.find((row) => row.version > version);
  if (newer !== undefined) throw otherVersion({ name, version }, newer.version);
  return new Map(rows.map((row) => [row.partition, row.version]));
}

/** @throws AtlasError ATLAS_PROCESSOR_OUTDATED where state of another version keeps a processor from going on */
export async function refuseOutdated(
  db: Database,
  processor: Pick<Processor, "name" | "version">,
): Promise<void> {
  const [earliest] = (await outdatedPartitions(db, processor)).values();
  if (earliest !== undefined) throw otherVersion(processor, earliest);
}
