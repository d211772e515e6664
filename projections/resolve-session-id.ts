import type { Queryable } from "../database/database.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Uuid } from "../schemas/generated/events.ts";

const LEAST_PREFIX = 4;
const MOST_CANDIDATES = 10;

/** The first and last UUID that begin with a prefix; undefined where none can. */
function rangeOf(prefix: string): [first: Uuid, last: Uuid] | undefined {
  const digits = prefix.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{4,32}$/.test(digits)) return undefined;
  const dashed = (fill: string): Uuid =>
    digits.padEnd(32, fill).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  // Dashes have to stand where a UUID has them.
  if (prefix.includes("-") && !dashed("0").startsWith(prefix.toLowerCase())) return undefined;
  return [dashed("0"), dashed("f")];
}

/**
 * The full id of a session that a person named.
 *
 * @param text a UUID, at least four of its first digits, or the integer that some readers know it by
 * @throws AtlasError ATLAS_SESSION_NOT_FOUND, or ATLAS_SESSION_AMBIGUOUS with the sessions that it could be
 * @example
 * const sessionId = await resolveSessionId(atlas.db, "018f6b0e");
 */
export async function resolveSessionId(db: Queryable, text: string): Promise<Uuid> {
  const named = text.trim();
  const range = rangeOf(named);
  const integer = /^[1-9]\d{0,9}$/.test(named) ? Number(named) : undefined;
  const { rows } = await db.query<{ id: number; uuid: Uuid; task: string }>(
    `select id, session_uuid::text as uuid, left(task, 60) as task from sessions
      where id = $1::bigint or session_uuid between $2::uuid and $3::uuid order by session_uuid limit ${MOST_CANDIDATES + 1}`,
    [integer ?? null, range?.[0] ?? null, range?.[1] ?? null],
  );
  if (rows.length === 1) return rows[0]!.uuid;
  if (rows.length === 0) {
    const short = range === undefined && integer === undefined;
    throw new AtlasError("ATLAS_SESSION_NOT_FOUND", `no session ${JSON.stringify(text)}`, {
      hint: short
        ? `Give its UUID, at least ${LEAST_PREFIX} of its first digits, or its integer.`
        : "List them with `atlas sessions list`.",
    });
  }
  const shown = rows.slice(0, MOST_CANDIDATES).map(({ id, uuid, task }) => `${uuid} (${id}: ${task})`);
  const more = rows.length > MOST_CANDIDATES ? ", and more" : "";
  throw new AtlasError(
    "ATLAS_SESSION_AMBIGUOUS",
    `${JSON.stringify(text)} could be ${shown.join(", ")}${more}`,
    { hint: "Give more of the UUID." },
  );
}
