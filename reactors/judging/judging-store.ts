import { join } from "node:path";
import type { Database, Queryable } from "../../database/database.ts";
import { migrate } from "../../database/migrate.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";
import { alreadyMasked, type Masked } from "../../schemas/masked.ts";

const MIGRATIONS = { series: "judging", folder: join(import.meta.dirname, "migrations") };

/**
 * Creates the table of sessions that wait for their judges.
 *
 * @throws AtlasError ATLAS_DATABASE_TOO_NEW
 */
export const prepareJudgingTable = (db: Database): Promise<void> => migrate(db, MIGRATIONS);

/** A session that this process judges, for as long as it goes on saying so. */
export interface Claim {
  sessionId: Uuid;
  learningKey: string;
  /** Tells this claim from any other of the session. */
  holder: Uuid;
  /** This one included. */
  tries: number;
  /** What went wrong at the last one. */
  lastError: string | null;
}

/** A session whose judgements are fixed. */
export interface Judged {
  sessionId: Uuid;
  events: Masked[];
}

/** Takes note of a session that will want judging once it ends. */
export async function keepWaiting(tx: Queryable, sessionId: Uuid, learningKey: string): Promise<void> {
  await tx.query(
    `insert into atlas_log.judging (session_id, learning_key) values ($1, $2) on conflict do nothing`,
    [sessionId, learningKey],
  );
}

/** Which of these sessions wait. */
export async function waitingOf(tx: Queryable, sessions: readonly Uuid[]): Promise<Set<Uuid>> {
  if (sessions.length === 0) return new Set();
  const { rows } = await tx.query<{ id: Uuid }>(
    "select session_id::text as id from atlas_log.judging where session_id = any($1::uuid[])",
    [sessions],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Takes note that a session ended: it is due. */
export async function noteEnd(tx: Queryable, sessionId: Uuid): Promise<void> {
  await tx.query("update atlas_log.judging set ended = true, due_at = now() where session_id = $1", [
    sessionId,
  ]);
}

/** Forgets a session; `unlessEnded`: not one that is due already. */
export async function forget(
  tx: Queryable,
  sessionId: Uuid,
  { unlessEnded = false }: { unlessEnded?: boolean } = {},
): Promise<void> {
  await tx.query("delete from atlas_log.judging where session_id = $1 and not (ended and $2)", [
    sessionId,
    unlessEnded,
  ]);
}

/** Whether a session is due for judges. */
export async function isAnyDue(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ due: boolean }>(
    "select exists (select from atlas_log.judging where ended and result is null and due_at <= now()) as due",
  );
  return rows[0]!.due;
}

/**
 * Claims the session that has been due for longest. Nobody else claims it before `leaseMs` are over; if this process
 * dies meanwhile, somebody does then.
 */
export async function claimNext(db: Queryable, holder: Uuid, leaseMs: number): Promise<Claim | undefined> {
  const { rows } = await db.query<Claim>(
    `update atlas_log.judging j
        set tries = j.tries + 1, holder = $1, due_at = now() + $2 * interval '1 millisecond'
      where j.session_id = (select session_id from atlas_log.judging
                             where ended and result is null and due_at <= now()
                             order by due_at, session_id limit 1 for update skip locked)
     returning session_id::text as "sessionId", learning_key as "learningKey", holder::text as holder, tries,
               last_error as "lastError"`,
    [holder, leaseMs],
  );
  return rows[0];
}

/** Says whether the claim still holds, and if so that it does so for another `leaseMs`. */
export async function renew(db: Queryable, { sessionId, holder }: Claim, leaseMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update atlas_log.judging set due_at = now() + $3 * interval '1 millisecond'
      where session_id = $1 and holder = $2 and result is null`,
    [sessionId, holder, leaseMs],
  );
  return rowCount > 0;
}

/** Gives a session back that nobody judged after all: the try does not count. */
export async function release(db: Queryable, { sessionId, holder }: Claim): Promise<void> {
  await db.query(
    `update atlas_log.judging set holder = null, due_at = now(), tries = tries - 1
      where session_id = $1 and holder = $2 and result is null`,
    [sessionId, holder],
  );
}

/** Takes note why a try came to nothing, and when the next one is; `counts` unless nobody was asked. */
export async function postpone(
  db: Queryable,
  { sessionId, holder }: Claim,
  error: string,
  pauseMs: number,
  { counts = true }: { counts?: boolean } = {},
): Promise<void> {
  await db.query(
    `update atlas_log.judging
        set holder = null, last_error = $3, due_at = now() + $4 * interval '1 millisecond', tries = tries - $5
      where session_id = $1 and holder = $2 and result is null`,
    [sessionId, holder, error, pauseMs, counts ? 0 : 1],
  );
}

/**
 * Fixes what the judges said, unless somebody else has taken the session over since. Whoever fixed it has `leaseMs`
 * to append it; then it is anybody's to append.
 *
 * @returns whether it was taken
 */
export async function keepResult(
  db: Queryable,
  { sessionId, holder }: Claim,
  events: readonly Masked[],
  leaseMs: number,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update atlas_log.judging
        set result = $3, holder = null, due_at = now() + $4 * interval '1 millisecond'
      where session_id = $1 and holder = $2 and result is null`,
    [sessionId, holder, JSON.stringify(events), leaseMs],
  );
  return rowCount > 0;
}

/** Takes a session whose judgements are fixed and may not be in the log yet; nobody else does before `leaseMs` are over. */
export async function takeUnpublished(db: Queryable, leaseMs: number): Promise<Judged | undefined> {
  const { rows } = await db.query<{ sessionId: Uuid; result: string }>(
    `update atlas_log.judging j set due_at = now() + $1 * interval '1 millisecond'
      where j.session_id = (select session_id from atlas_log.judging
                             where ended and result is not null and due_at <= now()
                             order by due_at, session_id limit 1 for update skip locked)
     returning session_id::text as "sessionId", result`,
    [leaseMs],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const events = (JSON.parse(row.result) as AtlasEvent[]).map(alreadyMasked);
  return { sessionId: row.sessionId, events };
}
