import type { Queryable } from "../../database/database.ts";
import { loadKeyedStates, saveKeyedStates } from "../../log/runner/keyed-state.ts";
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

/** Reads the state of an assignment, and how sessions stand in its files. */
export async function loadLive(
  tx: Queryable,
  group: string,
  partition: number,
  sessions: readonly Uuid[],
): Promise<{ state: LiveState; standing: Map<Uuid, Standing> }> {
  const rows = await loadKeyedStates(tx, { group, partition }, [STATE, ...sessions]);
  const found = new Map(rows.map(({ key, state }) => [key, JSON.parse(state ?? "null") as unknown]));
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
  await saveKeyedStates(
    tx,
    { group, partition },
    entries.map(([key, value]) => ({ key, version: VERSION, emitted: 0, state: JSON.stringify(value) })),
  );
}
