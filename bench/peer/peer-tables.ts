import type { Database } from "../../database/database.ts";
import { READER_SCHEMA } from "../../tests/interop/reader-schema.ts";

const COLUMNS = {
  sessions:
    "id, task, status, metadata, final_answer, reward, reward_stats, reward_audit, student_learning, teacher_learning, review_status, review_notes, created_at, completed_at",
  plans: "session_id, plan",
  step_results: "session_id, step_id, trace, output, evaluation, metadata, attempts",
  step_attempts: "session_id, step_id, attempt, evaluation",
  guidance_notes: "session_id, step_id, sequence, note",
  trajectory_events: "session_id, event, created_at",
};

/** A million events take a while. */
const ANY_TIME = { limitMs: Number.POSITIVE_INFINITY };

/** The same rows in the peer's own tables, which have no index on the session of an event. */
export async function copyToPeerTables(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query("create schema peer");
    await tx.query("set local search_path = peer");
    await tx.query(READER_SCHEMA);
    for (const [table, columns] of Object.entries(COLUMNS)) {
      const order = table === "trajectory_events" ? "order by id" : "";
      await tx.query(
        `insert into peer.${table} (${columns}) select ${columns} from public.${table} ${order}`,
        [],
        ANY_TIME,
      );
    }
  });
  await db.query("analyze", [], ANY_TIME);
}

/** Gives the peer's tables the index that they come without. */
export async function indexPeerTables(db: Database): Promise<void> {
  await db.query(
    "create index peer_events_idx on peer.trajectory_events (session_id, id desc)",
    [],
    ANY_TIME,
  );
  await db.query("analyze peer.trajectory_events", [], ANY_TIME);
}
