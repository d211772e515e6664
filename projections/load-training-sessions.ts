import type { Queryable } from "../log/postgres/database.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { fromTrajectoryEvent, type TrajectoryEvent } from "../traces/trajectory-event.ts";
import { conditionOf, type SessionPage } from "./session-filters.ts";
import {
  type AtlasSessionTrace,
  type SessionColumns,
  type StepColumns,
  trainingPlan,
  trainingSession,
  trainingStep,
} from "./training-session.ts";

/** What to read of each session. */
export interface SessionContents {
  /** Whole trajectories, too; true unless told. */
  includeTrajectoryEvents?: boolean | undefined;
  /** Rewards and what was learned, too; true unless told. */
  includeLearningData?: boolean | undefined;
}

const COLUMNS = `s.id, s.session_uuid::text as session_uuid, s.task, s.status, s.metadata, s.final_answer, s.reward,
  s.reward_stats, s.reward_audit, s.student_learning, s.teacher_learning, s.review_status, s.review_notes,
  s.created_at, s.completed_at, s.learning_key, s.agent, s.incomplete, s.simulated, s.tokens::float8 as tokens, p.plan`;

/** Reads sessions with all that belongs to them, newest first: four queries however many there are. */
export async function loadTrainingSessions(
  db: Queryable,
  options: SessionPage & SessionContents,
): Promise<AtlasSessionTrace[]> {
  const { includeTrajectoryEvents = true, includeLearningData = true } = options;
  const { where, params } = conditionOf(options);
  const at = params.length;
  const { rows } = await db.query<SessionColumns>(
    `select ${COLUMNS} from sessions s left join plans p on p.session_id = s.id
      where ${where} order by s.created_at desc, s.session_uuid limit $${at + 1}::int offset $${at + 2}::int`,
    [...params, options.limit ?? null, options.offset ?? 0],
  );
  const ids = rows.map(({ id }) => id);
  const steps = await loadSteps(db, ids);
  const notes = await loadNotes(db, ids);
  const events = includeTrajectoryEvents ? await loadEvents(db, rows) : undefined;
  return rows.map((row) => {
    const plan = trainingPlan(row.plan);
    const mine = (steps.get(row.id) ?? []).map((step) =>
      trainingStep(
        step,
        plan.steps.find(({ id }) => id === step.step_id),
        notes.get(`${row.id}/${step.step_id}`) ?? [],
      ),
    );
    const trajectory = events === undefined ? undefined : (events.get(row.id) ?? []);
    return trainingSession(row, mine, plan, trajectory, includeLearningData);
  });
}

async function loadSteps(db: Queryable, ids: readonly number[]): Promise<Map<number, StepColumns[]>> {
  const { rows } = await db.query<StepColumns>(
    `select session_id, step_id, trace, output, evaluation, metadata, attempts
       from step_results where session_id = any($1::int[]) order by session_id, step_id`,
    [ids],
  );
  return Map.groupBy(rows, ({ session_id }) => session_id);
}

async function loadNotes(db: Queryable, ids: readonly number[]): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ session_id: number; step_id: number; note: string }>(
    `select session_id, step_id, note from guidance_notes
      where session_id = any($1::int[]) order by session_id, step_id, sequence`,
    [ids],
  );
  const notes = new Map<string, string[]>();
  for (const { session_id, step_id, note } of rows) {
    const key = `${session_id}/${step_id}`;
    const list = notes.get(key);
    if (list === undefined) notes.set(key, [note]);
    else list.push(note);
  }
  return notes;
}

async function loadEvents(
  db: Queryable,
  sessions: readonly SessionColumns[],
): Promise<Map<number, AtlasEvent[]>> {
  const { rows } = await db.query<{ session_id: number; event: TrajectoryEvent }>(
    `select session_id, event from trajectory_events where session_id = any($1::int[]) order by session_id, id`,
    [sessions.map(({ id }) => id)],
  );
  const uuids = new Map(sessions.map(({ id, session_uuid }) => [id, session_uuid]));
  const events = new Map<number, AtlasEvent[]>();
  for (const { session_id, event } of rows) {
    const whole = fromTrajectoryEvent(event, uuids.get(session_id)!);
    const list = events.get(session_id);
    if (list === undefined) events.set(session_id, [whole]);
    else list.push(whole);
  }
  return events;
}
