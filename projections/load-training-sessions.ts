import type { Queryable } from "../database/database.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { eventOf, fromTrajectoryEvent, type TrajectoryEvent } from "../traces/trajectory-event.ts";
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

/** A session's events as the query gives them: their envelopes, and in another list their own fields. */
type EventLists = [session: Uuid, envelopes: TrajectoryEvent["payload"]["metadata"][], fields: object[]];

interface Row extends SessionColumns {
  /** Characters of the session's events. */
  size: number;
  steps: StepColumns[] | null;
  notes: [step: number, note: string][] | null;
  /** All events, or the text of them; null where they were not asked for, or are too large for one text. */
  events: AtlasEvent[] | string | null;
}

/** The events that the query gives of one session as one text. */
function eventsOf(text: string): AtlasEvent[] {
  const [session, envelopes, fields] = JSON.parse(text) as EventLists;
  return envelopes.map((metadata, index) => eventOf(metadata, fields[index]!, session));
}

const VARCHAR = 1043;
/** Nothing else in the query has this type. A session is parsed while the server reads the next one. */
const PARSERS = { [VARCHAR]: eventsOf };

/** Characters of events that come as one text. A session with more has them read row by row. */
const ONE_TEXT = 64 * 1024 * 1024;

const COLUMNS = `s.id, s.session_uuid::text as session_uuid, s.task, s.status, s.metadata, s.final_answer, s.reward,
  s.reward_stats, s.reward_audit, s.student_learning, s.teacher_learning, s.review_status, s.review_notes,
  s.created_at, s.completed_at, s.learning_key, s.agent, s.origin, s.lane, s.incomplete, s.simulated,
  s.tokens::float8 as tokens, s.size::float8 as size,
  (select p.plan from plans p where p.session_id = s.id) as plan`;

const STEPS = `(select json_agg(json_build_object('step_id', r.step_id, 'trace', r.trace, 'output', r.output,
      'evaluation', r.evaluation, 'metadata', r.metadata, 'attempts', r.attempts) order by r.step_id)
    from step_results r where r.session_id = s.id) as steps`;

const NOTES = `(select json_agg(json_build_array(n.step_id, n.note) order by n.step_id, n.sequence)
    from guidance_notes n where n.session_id = s.id) as notes`;

// Only what an event cannot be made without, as text that is parsed once: half the bytes of whole rows. Both lists take
// the events in the order of the inner query. One operator after the other finds a value faster than a path does.
const EVENTS = `case when s.size <= ${ONE_TEXT} then (
    select concat('["', s.session_uuid, '",[', string_agg(e.payload ->> 'metadata', ','), '],[',
             string_agg(coalesce(e.payload -> 'data' -> 'input' ->> 'value', e.payload -> 'data' -> 'output' ->> 'value'), ','), ']]')
      from (select event -> 'payload' as payload from trajectory_events t where t.session_id = s.id order by t.id offset 0) e) end::varchar`;

/**
 * The statement behind {@link loadTrainingSessions}, and what it takes.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export function trainingSessionsQuery(options: SessionPage & SessionContents): {
  sql: string;
  params: unknown[];
} {
  const { where, params } = conditionOf(options);
  const at = params.length;
  const events = options.includeTrajectoryEvents === false ? "null::varchar" : EVENTS;
  return {
    sql: `select ${COLUMNS}, ${STEPS}, ${NOTES}, ${events} as events
  from (select s.* from sessions s where ${where}
         order by s.created_at desc, s.session_uuid limit $${at + 1}::int offset $${at + 2}::int) s
 order by s.created_at desc, s.session_uuid`,
    params: [...params, options.limit ?? null, options.offset ?? 0],
  };
}

/**
 * Reads sessions with all that belongs to them, newest first: one query however many there are, so that each is whole
 * as of one moment. Sessions too large for one text take one query more, together.
 */
export async function loadTrainingSessions(
  db: Queryable,
  options: SessionPage & SessionContents,
): Promise<AtlasSessionTrace[]> {
  const { includeTrajectoryEvents = true, includeLearningData = true } = options;
  const { sql, params } = trainingSessionsQuery(options);
  const { rows } = await (db.parsing?.(PARSERS) ?? db).query<Row>(sql, params);
  const large = includeTrajectoryEvents ? rows.filter(({ size }) => size > ONE_TEXT) : [];
  const events = large.length === 0 ? new Map<number, AtlasEvent[]>() : await loadEvents(db, large);
  return rows.map((row) => {
    const plan = trainingPlan(row.plan);
    const notes = Map.groupBy(row.notes ?? [], ([step]) => step);
    const steps = (row.steps ?? []).map((step) =>
      trainingStep(
        step,
        plan.steps.find(({ id }) => id === step.step_id),
        (notes.get(step.step_id) ?? []).map(([, note]) => note),
      ),
    );
    const mine = includeTrajectoryEvents ? (events.get(row.id) ?? ownEvents(row)) : undefined;
    return trainingSession(row, steps, plan, mine, includeLearningData);
  });
}

const ownEvents = ({ events }: Row): AtlasEvent[] =>
  typeof events === "string" ? eventsOf(events) : (events ?? []);

async function loadEvents(
  db: Queryable,
  sessions: readonly SessionColumns[],
): Promise<Map<number, AtlasEvent[]>> {
  const { rows } = await db.query<{ session_id: number; event: TrajectoryEvent }>(
    `select session_id, event from trajectory_events where session_id = any($1::int[]) order by session_id, id`,
    [sessions.map(({ id }) => id)],
  );
  const uuids = new Map<number, Uuid>(sessions.map(({ id, session_uuid }) => [id, session_uuid]));
  const events = new Map<number, AtlasEvent[]>();
  for (const { session_id, event } of rows) {
    const whole = fromTrajectoryEvent(event, uuids.get(session_id)!);
    const list = events.get(session_id);
    if (list === undefined) events.set(session_id, [whole]);
    else list.push(whole);
  }
  return events;
}
