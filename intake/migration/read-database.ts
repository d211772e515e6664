import type { Queryable } from "../../database/database.ts";
import type { JsonText } from "../../schemas/generated/events.ts";

/** A row of the old database, in the form of its export. */
export interface OldRow {
  /** The integer that the old database knows it by. */
  id: string;
  text: JsonText;
}

/** What the old database knows of a learning key. */
export interface OldPlaybook {
  learning_key: string;
  student_learning: string | null;
  teacher_learning: string | null;
  /** When it was written, in microseconds since the epoch. */
  updated_us: string;
}

const PAGE = 100;

/**
 * One session as the old exporter would write it. Rows go through `to_jsonb`, so that columns which an older version
 * of the schema lacks are simply not there.
 */
const SESSIONS = `
select s.id::text as id, o.completed::text as completed, jsonb_build_object(
  'task', o.row->'task', 'final_answer', o.row->'final_answer', 'session_reward', o.row->'reward',
  'reward_audit', o.row->'reward_audit', 'student_learning', o.row->'student_learning',
  'teacher_learning', o.row->'teacher_learning', 'review_status', o.row->'review_status',
  'review_notes', o.row->'review_notes',
  'plan', (select to_jsonb(p)->'plan' from plans p where p.session_id = s.id),
  'session_metadata', o.row->'metadata', 'session_id', s.id, 'status', o.row->'status',
  'created_at', o.row->'created_at', 'completed_at', o.row->'completed_at',
  'steps', (select jsonb_agg(to_jsonb(r) || jsonb_build_object(
      'guidance', coalesce((select jsonb_agg(g.note order by g.sequence) from guidance_notes g
         where g.session_id = r.session_id and g.step_id = r.step_id), '[]'),
      'attempt_history', coalesce((select jsonb_agg(jsonb_build_object('attempt', a.attempt, 'evaluation', a.evaluation)
         order by a.attempt) from step_attempts a
         where a.session_id = r.session_id and a.step_id = r.step_id), '[]')) order by r.step_id)
    from step_results r where r.session_id = s.id)
)::text as text
from sessions s, lateral (select to_jsonb(s) as row, coalesce(s.completed_at, s.created_at) as completed) o
where ($1::timestamptz is null or (o.completed, s.id) > ($1, $2))
order by o.completed, s.id limit ${PAGE}`;

/** Events of many sessions in one pass: the old schema has no index that finds those of one. */
const EVENTS = `
select session_id::text as id, jsonb_agg(jsonb_build_object('event', event, 'created_at', created_at) order by id)::text as text
from trajectory_events where session_id = any($1::int[]) group by session_id`;

interface Page {
  id: string;
  completed: string;
  text: JsonText;
}

/** Reads the sessions of a database of the Python SDK, oldest completion first. */
export async function* readOldSessions(db: Queryable): AsyncGenerator<OldRow> {
  let after: [unknown, unknown] = [null, null];
  for (;;) {
    const { rows } = await db.query<Page>(SESSIONS, after);
    const ids = rows.map(({ id }) => Number(id));
    const { rows: events } = await db.query<OldRow>(EVENTS, [ids]);
    const eventsOf = new Map(events.map(({ id, text }) => [id, text]));
    for (const { id, text } of rows) {
      const trajectory = eventsOf.get(id);
      const whole =
        trajectory === undefined ? text : `${text.slice(0, -1)},"trajectory_events":${trajectory}}`;
      yield { id, text: whole };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = [last.completed, last.id];
  }
}

/** The playbooks of a database of the Python SDK; none where it has no such table. */
export async function readOldPlaybooks(db: Queryable): Promise<OldPlaybook[]> {
  const { rows: found } = await db.query<{ there: boolean }>(
    "select to_regclass('learning_registry') is not null as there",
  );
  if (found[0]?.there !== true) return [];
  const { rows } = await db.query<OldPlaybook>(
    `select learning_key, student_learning, teacher_learning,
            (extract(epoch from updated_at) * 1000000)::bigint::text as updated_us
       from learning_registry order by learning_key`,
  );
  return rows;
}
