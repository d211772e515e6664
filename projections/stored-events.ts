import type { Queryable } from "../database/database.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { isoOf } from "../schemas/identity.ts";
import { emptyTrace, foldStored } from "../traces/fold.ts";
import type { SessionTrace } from "../traces/session-trace.ts";
import { eventOf, type TrajectoryEvent, toTrajectoryEvent } from "../traces/trajectory-event.ts";
import type { TableNames } from "./tables.ts";

/** Ids of one session's events; together with the session's 31 bits they stay exact in a double. */
const PLACES = 2 ** 21;

/** A row of `trajectory_events`. */
export interface EventRow {
  id: number;
  session_id: number;
  /** JSON text. */
  event: string;
  created_at: string;
  type: string;
  joined: number;
}

/** A session's own events as they are stored, folded. */
export interface StoredTrace {
  readonly trace: SessionTrace;
  /** Where each event stands in the order of arrival, from 1, and the length of its text. */
  readonly stored: Map<Uuid, { place: number; length: number }>;
  /** Sum of the lengths. */
  size: number;
}

/** A session of which nothing is stored. */
export const emptyStored = (sessionId: Uuid): StoredTrace => ({
  trace: emptyTrace(sessionId),
  stored: new Map(),
  size: 0,
});

const lengthOf = ({ payload }: TrajectoryEvent): number =>
  (payload.data.input ?? payload.data.output)!.value.length;

/** The id of an event's row: ascending within a session, and the same whenever it is computed. */
export const eventRowId = (session: number, place: number): number => session * PLACES + place;

/**
 * The row of an event, and the length that counts towards its session's size.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID for a place beyond two million
 */
export function eventRow(
  event: AtlasEvent,
  session: number,
  place: number,
  joined: number,
): { row: EventRow; length: number } {
  if (place >= PLACES) {
    throw new AtlasError("ATLAS_EVENT_INVALID", `a session has more than ${PLACES - 1} events`, {
      where: `session ${event.meta.session_id}`,
    });
  }
  const trajectory = toTrajectoryEvent(event);
  const row = {
    id: eventRowId(session, place),
    session_id: session,
    event: JSON.stringify(trajectory),
    created_at: isoOf(event.meta.occurred_at),
    type: event.type,
    joined,
  };
  return { row, length: lengthOf(trajectory) };
}

/** Loads the own events of sessions and folds them: one query however many. */
export async function loadStored(
  db: Queryable,
  tables: TableNames,
  sessions: ReadonlyMap<Uuid, number>,
): Promise<Map<Uuid, StoredTrace>> {
  const loaded = new Map([...sessions.keys()].map((uuid) => [uuid, emptyStored(uuid)]));
  if (sessions.size === 0) return loaded;
  const byId = new Map([...sessions].map(([uuid, id]) => [id, uuid]));
  // Only what an event cannot be made without, as text that is parsed once: half the bytes of whole rows.
  const { rows } = await db.query<{
    session_id: number;
    place: number;
    joined: number;
    metadata: string;
    fields: string;
  }>(
    `select session_id, place, joined, payload ->> 'metadata' as metadata,
            coalesce(payload #>> '{data,input,value}', payload #>> '{data,output,value}') as fields
       from (select session_id, (id % ${PLACES})::int as place, joined, event -> 'payload' as payload
               from ${tables("trajectory_events")}
              where session_id = any($1::int[]) order by session_id, id offset 0) e`,
    [[...sessions.values()]],
  );
  for (const { session_id, place, joined, metadata, fields } of rows) {
    const uuid = byId.get(session_id)!;
    const state = loaded.get(uuid)!;
    const event = eventOf(JSON.parse(metadata), JSON.parse(fields), uuid);
    foldStored(state.trace, event, joined);
    state.stored.set(event.meta.event_id, { place, length: fields.length });
    state.size += fields.length;
  }
  return loaded;
}
