import type { Queryable } from "../database/database.ts";
import type { SessionTrace } from "../traces/session-trace.ts";
import { type Columns, insertRows } from "./insert-rows.ts";
import { changedEventRows, type SessionChanges } from "./session-changes.ts";
import {
  type AttemptRow,
  attemptRow,
  type NoteRow,
  noteRows,
  planJson,
  type SessionRow,
  type StepRow,
  sessionRow,
  stepRow,
  stepsToWrite,
} from "./session-rows.ts";
import { type EventRow, eventRowId, type StoredTrace } from "./stored-events.ts";
import type { TableNames } from "./tables.ts";

const column = <Row, K extends keyof Row>(type: string, key: K): [string, (row: Row) => Row[K]] => [
  type,
  (row) => row[key],
];

const SESSION: Columns<SessionRow> = {
  id: column("int", "id"),
  session_uuid: column("uuid", "session_uuid"),
  task: column("text", "task"),
  status: column("text", "status"),
  metadata: column("jsonb", "metadata"),
  final_answer: column("text", "final_answer"),
  reward: column("jsonb", "reward"),
  reward_stats: column("jsonb", "reward_stats"),
  reward_audit: column("jsonb", "reward_audit"),
  review_status: column("text", "review_status"),
  review_notes: column("text", "review_notes"),
  created_at: column("timestamptz", "created_at"),
  completed_at: column("timestamptz", "completed_at"),
  learning_key: column("text", "learning_key"),
  agent: column("text", "agent"),
  origin: column("text", "origin"),
  lane: column("text", "lane"),
  incomplete: column("boolean", "incomplete"),
  simulated: column("boolean", "simulated"),
  tokens: column("bigint", "tokens"),
  step_count: column("int", "step_count"),
  event_count: column("int", "event_count"),
  size: column("bigint", "size"),
};

const PLAN: Columns<{ session_id: number; plan: string }> = {
  session_id: column("int", "session_id"),
  plan: column("jsonb", "plan"),
};

const STEP: Columns<StepRow> = {
  session_id: column("int", "session_id"),
  step_id: column("int", "step_id"),
  trace: column("text", "trace"),
  output: column("text", "output"),
  evaluation: column("jsonb", "evaluation"),
  metadata: column("jsonb", "metadata"),
  attempts: column("int", "attempts"),
};

const ATTEMPT: Columns<AttemptRow> = {
  session_id: column("int", "session_id"),
  step_id: column("int", "step_id"),
  attempt: column("int", "attempt"),
  evaluation: column("jsonb", "evaluation"),
};

const NOTE: Columns<NoteRow> = {
  session_id: column("int", "session_id"),
  step_id: column("int", "step_id"),
  sequence: column("int", "sequence"),
  note: column("text", "note"),
};

const EVENT: Columns<EventRow> = {
  id: column("bigint", "id"),
  session_id: column("int", "session_id"),
  event: column("jsonb", "event"),
  created_at: column("timestamptz", "created_at"),
  type: column("text", "type"),
  joined: column("int", "joined"),
};

/** A started session with what changed of it. */
export interface ChangedSession {
  id: number;
  state: StoredTrace;
  /** The session's trace with what other topics say. */
  trace: SessionTrace;
  changes: SessionChanges;
}

/** Writes what changed of sessions: one statement a table, for up to 500 rows. */
export async function writeSessions(
  tx: Queryable,
  tables: TableNames,
  sessions: readonly ChangedSession[],
): Promise<void> {
  if (sessions.length === 0) return;
  const events = sessions.flatMap(({ state, id, changes }) => changedEventRows(state, id, changes));
  const rows = sessions.map(({ trace, id, state }) => sessionRow(trace, id, state.size));
  const plans = sessions
    .filter(({ changes }) => changes.plan)
    .map(({ trace, id }) => ({ session_id: id, plan: planJson(trace) }));
  const steps = sessions.flatMap(({ trace, id, changes }) =>
    stepsToWrite(trace, changes.steps).map((step) => ({ trace, step, id })),
  );
  const removed = sessions.flatMap(({ id, changes }) =>
    changes.removed.map((place) => [id, eventRowId(id, place)] as const),
  );

  await insertRows(tx, { table: tables("sessions"), columns: SESSION, key: ["id"] }, rows);
  await insertRows(tx, { table: tables("plans"), columns: PLAN, key: ["session_id"] }, plans);
  await insertRows(
    tx,
    { table: tables("step_results"), columns: STEP, key: ["session_id", "step_id"] },
    steps.map(({ trace, step, id }) => stepRow(trace, step, id)),
  );
  await insertRows(
    tx,
    { table: tables("step_attempts"), columns: ATTEMPT, key: ["session_id", "step_id", "attempt"] },
    steps.flatMap(({ step, id }) => step.attempts.map((attempt) => attemptRow(attempt, step, id))),
  );
  await insertRows(
    tx,
    { table: tables("guidance_notes"), columns: NOTE, key: ["session_id", "step_id", "sequence"] },
    steps.flatMap(({ step, id }) => noteRows(step, id)),
  );
  await removeEvents(tx, tables, removed);
  // Whoever holds the lock of a session knows what is stored of it: there is nothing to run into.
  await insertRows(tx, { table: tables("trajectory_events"), columns: EVENT }, events);
}

async function removeEvents(
  tx: Queryable,
  tables: TableNames,
  rows: readonly (readonly [session: number, id: number])[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `delete from ${tables("trajectory_events")} e using unnest($1::int[], $2::bigint[]) as gone(session_id, id)
      where e.session_id = gone.session_id and e.id = gone.id`,
    [rows.map(([session]) => session), rows.map(([, id]) => id)],
  );
}
