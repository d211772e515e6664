import type { Queryable } from "../../database/database.ts";
import type { AssignmentKey } from "./assignment-store.ts";

/** What a consumer keeps of one key, saved in its unit of work. */
export interface KeyedState {
  key: string;
  /** Version of the logic that wrote it. */
  version: number;
  /** How many events were emitted for the key. */
  emitted: number;
  /** JSON text; null where only the count is kept. */
  state: string | null;
}

/** Rows of one statement: more freeze an embedded database. */
const ROWS = 500;

/** The saved states of these keys. */
export async function loadKeyedStates(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  keys: readonly string[],
): Promise<KeyedState[]> {
  const { rows } = await tx.query<KeyedState>(
    `select key, version, emitted::float8 as emitted, state from atlas_log.state
      where group_id = $1 and partition = $2 and key = any($3)`,
    [group, partition, keys],
  );
  return rows;
}

/** Saves states in the place of those that the same keys had. */
export async function saveKeyedStates(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  states: readonly KeyedState[],
): Promise<void> {
  for (let from = 0; from < states.length; from += ROWS) {
    const rows = states.slice(from, from + ROWS);
    await tx.query(
      `insert into atlas_log.state (group_id, partition, key, version, emitted, state)
       select $1, $2, s.* from unnest($3::text[], $4::int[], $5::bigint[], $6::text[]) as s(key, version, emitted, state)
       on conflict (group_id, partition, key) do update
          set version = excluded.version, emitted = excluded.emitted, state = excluded.state`,
      [
        group,
        partition,
        rows.map(({ key }) => key),
        rows.map(({ version }) => version),
        rows.map(({ emitted }) => emitted),
        rows.map(({ state }) => state),
      ],
    );
  }
}

/** Forgets what these keys had. */
export async function dropKeyedStates(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  await tx.query("delete from atlas_log.state where group_id = $1 and partition = $2 and key = any($3)", [
    group,
    partition,
    keys,
  ]);
}

/** Forgets all states of an assignment, and returns how many events each key had emitted. */
export async function clearKeyedStates(
  tx: Queryable,
  { group, partition }: AssignmentKey,
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ key: string; emitted: number }>(
    `delete from atlas_log.state where group_id = $1 and partition = $2 returning key, emitted::float8 as emitted`,
    [group, partition],
  );
  return new Map(rows.map(({ key, emitted }) => [key, emitted]));
}
