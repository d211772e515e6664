import type { Database, Queryable } from "../../database/database.ts";
import { isGone, memberName } from "./member.ts";

/** A rebuild that was not heard of for this long is taken for dead. */
const DEAD_AFTER = "10 minutes";

/** Announces a rebuild, so that others can tell whether it still runs. */
export async function announceRebuild(db: Database): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    "insert into atlas_log.rebuilds (member) values ($1) returning id",
    [memberName()],
  );
  return rows[0]!.id;
}

/** Says that a rebuild is still at it. */
export async function touchRebuild(tx: Queryable, id: number): Promise<void> {
  await tx.query("update atlas_log.rebuilds set seen_at = now() where id = $1", [id]);
}

/** Rebuilds whose process is gone, or was silent for long. */
export async function deadRebuilds(db: Database): Promise<number[]> {
  const { rows } = await db.query<{ id: number; member: string; silent: boolean }>(
    `select id, member, seen_at < now() - interval '${DEAD_AFTER}' as silent from atlas_log.rebuilds`,
  );
  return rows.filter(({ silent, member }) => silent || isGone(member)).map(({ id }) => id);
}

/** Under which a rebuild computes derived events again. */
export const rebuildingGroup = (id: number): string => `rebuild ${id}`;

/** Forgets a rebuild, what it has seen of each source under this name, and what it remembered while it computed. */
export async function forgetRebuild(tx: Queryable, id: number, group?: string): Promise<void> {
  const groups = [rebuildingGroup(id), ...(group === undefined ? [] : [group])];
  for (const table of ["sequences", "state"])
    await tx.query(`delete from atlas_log.${table} where group_id = any($1)`, [groups]);
  await tx.query("delete from atlas_log.rebuilds where id = $1", [id]);
}
