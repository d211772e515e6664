import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decisionsOn } from "../../app/api/reviews.ts";
import { exportDataset } from "../../app/export-dataset.ts";
import type { Database } from "../../database/database.ts";
import { findDifferences } from "../../derivation/differences.ts";
import { verifyLog } from "../../derivation/verify-log.ts";
import type { EventLog } from "../../log/event-log.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import { READ_MODEL_TABLES } from "../../projections/tables.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { TOPICS } from "../../schemas/topics.ts";
import type { OpenPlace } from "./place.ts";

/** What a place holds in the end, in forms that do not depend on when it was written, or in which order. */
export interface Outcome {
  /** The exported JSONL. */
  exported: string;
  /** Rows of each table of the read models, as sorted JSON texts without the integers of sessions. */
  tables: Record<string, string[]>;
  /** Events that readers see, by topic: sorted `type id`. */
  events: Record<string, string[]>;
  /** Ids that readers see twice. */
  twice: string[];
  /** Records that readers drop, because the log holds what their source said already. */
  repeated: number;
  /** Gaps of the log, sessions that lack events, dead letters, derived events that nothing explains. */
  broken: string[];
}

const DECIDED_AT = Date.UTC(2025, 5, 1) * 1000;

/** Decides on a session always in the same words, at the same time, under the same id. */
function asAlways(decision: AtlasEvent): AtlasEvent {
  const { meta } = decision;
  const event_id = idOf("approved", meta.session_id!);
  return {
    ...decision,
    meta: { ...meta, event_id, source: `review/${event_id}`, sequence: 1, occurred_at: DECIDED_AT },
  };
}

async function approveAll({ log, db, settled }: OpenPlace): Promise<void> {
  await settled();
  const sessions = await listSessions(db, { reviewStatusFilters: ["pending"], limit: null });
  const decisions = decisionsOn(log, sessions, "approved", { author: "soak" });
  await log.append(decisions.map(asAlways).map(log.mask));
  await settled();
}

async function readEvents(log: EventLog): Promise<Pick<Outcome, "events" | "twice" | "repeated">> {
  const events: Outcome["events"] = {};
  const ids = new Set<string>();
  const twice: string[] = [];
  let repeated = 0;
  for (const topic of TOPICS) {
    const seen = new Map<string, number>();
    const found: string[] = [];
    for await (const batch of log.read([topic])) {
      for (const { event, partition } of batch) {
        const { source, sequence, event_id } = event.meta;
        const key = `${partition}/${source}`;
        if (sequence <= (seen.get(key) ?? 0)) {
          repeated += 1;
          continue;
        }
        seen.set(key, sequence);
        if (ids.has(event_id)) twice.push(`${event.type} ${event_id}`);
        ids.add(event_id);
        // Whoever sets rules first does so in an event of its own; what they are is in their hash.
        found.push(`${event.type} ${event.type === "RulesSet" ? event.rules_hash : event_id}`);
      }
    }
    events[topic] = found.sort();
  }
  return { events, twice, repeated };
}

/** Integers of sessions are given in the order of arrival, which nothing promises. */
const rowsOf = (table: string): string => {
  if (table === "sessions") return "select (to_jsonb(t) - 'id')::text as row from sessions t";
  if (table === "trajectory_events")
    return `select jsonb_build_object('session', s.session_uuid, 'place', t.id - t.session_id::bigint * 2097152, 'row', to_jsonb(t) - 'id' - 'session_id')::text as row
              from trajectory_events t join sessions s on s.id = t.session_id`;
  return `select jsonb_build_object('session', s.session_uuid, 'row', to_jsonb(t) - 'session_id')::text as row
            from ${table} t left join sessions s on s.id = (to_jsonb(t) ->> 'session_id')::int`;
};

async function readTables(db: Database): Promise<Outcome["tables"]> {
  const tables: Outcome["tables"] = {};
  for (const table of READ_MODEL_TABLES) {
    const { rows } = await db.query<{ row: string }>(rowsOf(table));
    tables[table] = rows.map(({ row }) => row).sort();
  }
  return tables;
}

/** What comes out otherwise when it is computed again in the order of completion, and had no reason to. */
async function unexplainedIn({ log, rules }: OpenPlace): Promise<string[]> {
  const { shown, close } = await findDifferences(log, rules);
  await close();
  return shown
    .filter(({ explained }) => explained === undefined)
    .map(({ topic, sessionId, what }) => `unexplained: ${topic} of ${sessionId}: ${what}`);
}

async function brokenIn(place: OpenPlace): Promise<string[]> {
  const { log, db } = place;
  const { gaps, incompleteSessions } = await verifyLog(log);
  const letters = await db.query<{ error: string }>("select error from atlas_log.dead_letters");
  const waiting = await db.query<{ n: number }>("select count(*)::int as n from atlas_log.outbox");
  return [
    ...(await unexplainedIn(place)),
    ...gaps.map(({ topic, partition, from, to }) => `gap in ${topic}[${partition}] from ${from} to ${to}`),
    ...incompleteSessions.map(({ sessionId, missing }) => `session ${sessionId} lacks ${missing} events`),
    ...letters.rows.map(({ error }) => `dead letter: ${error}`),
    ...(waiting.rows[0]!.n > 0 ? [`${waiting.rows[0]!.n} events are still in the outbox`] : []),
  ];
}

/** Approves every session, exports, and takes down all that the place holds. */
export async function outcomeOf(place: OpenPlace): Promise<Outcome> {
  await approveAll(place);
  const output = join(tmpdir(), `atlas-soak-${process.pid}-${place.log.id}.jsonl`);
  try {
    await exportDataset(place, { output });
    return {
      exported: readFileSync(output, "utf8"),
      tables: await readTables(place.db),
      ...(await readEvents(place.log)),
      broken: await brokenIn(place),
    };
  } finally {
    for (const file of [output, `${output}.manifest.json`]) rmSync(file, { force: true });
  }
}
