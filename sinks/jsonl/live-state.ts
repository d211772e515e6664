import type { Queryable } from "../../database/database.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { SERIES_START, type SeriesPlace } from "./line-series.ts";

/** What an assignment of the live sink has confirmed. */
export interface LiveState {
  /** Names the process that writes; empty before anybody did. */
  owner: string;
  lines: SeriesPlace;
  tombstones: SeriesPlace;
}

/** What the files say of a session: it stands in them, or stands there and is withdrawn. */
export type Standing = "written" | "withdrawn";

const STATE = "state";
const VERSION = 1;
const NEW: LiveState = { owner: "", lines: SERIES_START, tombstones: SERIES_START };

interface Row {
  key: string;
  state: string;
}

/** Reads the state of an assignment, and how sessions stand in its files. */
export async function loadLive(
  tx: Queryable,
  group: string,
  partition: number,
  sessions: readonly Uuid[],
): Promise<{ state: LiveState; standing: Map<Uuid, Standing> }> {
  const { rows } = await tx.query<Row>(
    "select key, state from atlas_log.state where group_id = $1 and partition = $2 and key = any($3)",
    [group, partition, [STATE, ...sessions]],
  );
  const found = new Map(rows.map(({ key, state }) => [key, JSON.parse(state) as unknown]));
  const state = (found.get(STATE) as LiveState | undefined) ?? NEW;
  found.delete(STATE);
  return { state, standing: found as Map<Uuid, Standing> };
}

/** Confirms what was written, in the unit of work. */
export async function saveLive(
  tx: Queryable,
  group: string,
  partition: number,
  state: LiveState,
  standing: ReadonlyMap<Uuid, Standing>,
): Promise<void> {
  const entries = [[STATE, state] as const, ...standing];
  await tx.query(
    `insert into atlas_log.state (group_id, partition, key, version, emitted, state)
     select $1, $2, s.key, ${VERSION}, 0, s.state from unnest($3::text[], $4::text[]) as s(key, state)
     on conflict (group_id, partition, key) do update set state = excluded.state`,
    [group, partition, entries.map(([key]) => key), entries.map(([, value]) => JSON.stringify(value))],
  );
}
