import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database, Queryable } from "../../database/database.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import {
  countTrainingSessions,
  getSession,
  getTrainingSessions,
  paginateSessions,
  resolveSessionId,
  streamTraces,
} from "../../projections/training-data.ts";
import { missing } from "../services/services.ts";
import { factsOf, sessionId, wholeSession } from "../traces/sessions.ts";
import { openServer } from "./databases.ts";
import { applyRecords, logOf } from "./replayed.ts";

const SESSIONS = 5000;

interface Node {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  Plans?: Node[];
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Notes the plan of every statement that goes to a database. */
function explaining(db: Database): { db: Queryable; nodes: () => Node[]; plans: () => Node[][] } {
  const plans: Node[][] = [];
  return {
    db: {
      query: async (sql, params) => {
        const { rows } = await db.query<{ "QUERY PLAN": [{ Plan: Node }] }>(
          `explain (format json) ${sql}`,
          params,
        );
        plans.push(nodesOf(rows[0]!["QUERY PLAN"][0].Plan));
        return db.query(sql, params);
      },
    },
    plans: () => plans,
    nodes: () => plans.flat(),
  };
}

async function drained(pages: AsyncIterable<unknown>, most: number): Promise<void> {
  let left = most;
  for await (const _ of pages) {
    left -= 1;
    if (left === 0) return;
  }
}

const DAY = 86_400_000;
const MIDDLE = new Date(Date.UTC(2026, 5, 1));

const QUERIES: [name: string, run: (db: Queryable) => Promise<unknown>][] = [
  ["the newest approved", (db) => getTrainingSessions(db, { limit: 100 })],
  ["the newest of any status", (db) => getTrainingSessions(db, { limit: 100, reviewStatusFilters: "all" })],
  [
    "two review statuses",
    (db) => getTrainingSessions(db, { limit: 100, reviewStatusFilters: ["approved", "pending"] }),
  ],
  ["a learning key", (db) => getTrainingSessions(db, { limit: 100, learningKey: "key 7" })],
  [
    "a high reward",
    (db) => getTrainingSessions(db, { limit: 100, minReward: 0.995, reviewStatusFilters: "all" }),
  ],
  [
    "a low reward",
    (db) => getTrainingSessions(db, { limit: 100, maxReward: 0.005, reviewStatusFilters: "all" }),
  ],
  [
    "a time",
    (db) =>
      getTrainingSessions(db, {
        limit: 100,
        createdAfter: MIDDLE,
        createdBefore: new Date(MIDDLE.getTime() + DAY),
      }),
  ],
  [
    "a run status",
    (db) => getTrainingSessions(db, { limit: 100, statusFilters: ["failed"], reviewStatusFilters: "all" }),
  ],
  ["an agent", (db) => getTrainingSessions(db, { limit: 100, agent: "agent 3", reviewStatusFilters: "all" })],
  ["a lane", (db) => getTrainingSessions(db, { limit: 100, lane: "paired", reviewStatusFilters: "all" })],
  ["a tag", (db) => getTrainingSessions(db, { limit: 100, tags: ["tag 11"], reviewStatusFilters: "all" })],
  ["drift", (db) => getTrainingSessions(db, { limit: 100, driftAlert: true, reviewStatusFilters: "all" })],
  ["many steps", (db) => getTrainingSessions(db, { limit: 100, minSteps: 2, reviewStatusFilters: "all" })],
  ["one session", (db) => getSession(db, sessionId("plan"))],
  ["a prefix of an id", (db) => resolveSessionId(db, sessionId("plan").slice(0, 13))],
  ["pages", (db) => drained(paginateSessions(db, { pageSize: 25, reviewStatusFilters: "all" }), 4)],
  ["whole traces", (db) => drained(streamTraces(db, { limit: 200 }), 200)],
  ["a count by learning key", (db) => countTrainingSessions(db, { learningKey: "key 7" })],
  ["a count by review status", (db) => countTrainingSessions(db, { reviewStatusFilters: ["quarantined"] })],
  ["a listing", (db) => listSessions(db, { limit: 50 })],
  ["a listing by review status", (db) => listSessions(db, { limit: 20, reviewStatusFilters: ["pending"] })],
];

describe.skipIf(await missing("postgres"))(`with ${SESSIONS} sessions`, () => {
  let db: Database;

  beforeAll(async () => {
    db = await openServer();
    const own = wholeSession("plan");
    await applyRecords(db, logOf([...own, ...factsOf(own)]));
    await multiply(db);
  });
  afterAll(() => db?.close());

  it.each(QUERIES)("%s: every table is read by an index", async (_, run) => {
    const watched = explaining(db);
    await run(watched.db);
    expect(watched.nodes().length).toBeGreaterThan(0);
    const scanned = watched.nodes().filter((node) => node["Node Type"] === "Seq Scan");
    expect(scanned.map((node) => node["Relation Name"])).toEqual([]);
    if (process.env.ATLAS_SHOW_PLANS !== undefined) {
      const indexes = watched.plans().map((nodes) => nodes.flatMap((node) => node["Index Name"] ?? []));
      console.log(`${_}: ${[...new Set(indexes.flat())].join(", ")}`);
    }
  });

  it("deep pages read no more rows than the first ones", async () => {
    const page = async (offset: number): Promise<number> => {
      const { rows } = await db.query<{ created: string; id: string }>(
        "select created_at::text as created, session_uuid::text as id from sessions order by created_at desc, session_uuid limit 1 offset $1",
        [offset],
      );
      const { rows: plan } = await db.query<{ "QUERY PLAN": [{ Plan: Record<string, number> }] }>(
        `explain (analyze, buffers, format json)
         select s.id from sessions s where s.created_at <= $1::timestamptz
            and (s.created_at < $1::timestamptz or s.session_uuid > $2::uuid)
          order by s.created_at desc, s.session_uuid limit 100`,
        [rows[0]!.created, rows[0]!.id],
      );
      const { Plan } = plan[0]!["QUERY PLAN"][0];
      return Plan["Shared Hit Blocks"]! + Plan["Shared Read Blocks"]!;
    };
    const [first, deep] = [await page(10), await page(4800)];
    expect(deep).toBeLessThan(first * 2 + 10);
  });
});

/** Copies the one session that is there, with everything that belongs to it, spread over values as real ones are. */
async function multiply(db: Database): Promise<void> {
  const { rows } = await db.query<{ table: string; columns: string }>(
    `select table_name::text as table, string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns
       from information_schema.columns
      where table_schema = current_schema() and column_name not in ('id', 'session_id') group by 1`,
  );
  const columnsOf = (table: string): string => rows.find((row) => row.table === table)!.columns;
  const others = columnsOf("sessions")
    .split(", ")
    .filter((name) => !VARIED.has(name));
  await db.query(
    `insert into sessions (id, session_uuid, learning_key, agent, lane, status, review_status, created_at, reward_stats, metadata, ${others.join(", ")})
     select n, gen_random_uuid(), 'key ' || n % 50, 'agent ' || n % 40, case n % 30 when 0 then 'paired' else lane end,
            case n % 250 when 0 then 'failed' else status end,
            case when n % 3 = 0 then 'pending' when n % 40 = 1 then 'quarantined' else 'approved' end,
            timestamptz '2026-01-01' + n * interval '1 hour', reward_stats || jsonb_build_object('score', (n % 1000) / 1000.0),
            metadata || jsonb_build_object('learning_key', 'key ' || n % 50, 'tags', jsonb_build_array('tag ' || n % 200),
                                           'drift_alert', n % 60 = 0),
            ${others.join(", ")}
       from sessions, generate_series(2, ${SESSIONS}) n where id = 1`,
  );
  await db.query(
    `insert into trajectory_events (id, session_id, ${columnsOf("trajectory_events")})
     select n * 2097152::bigint + e.id % 2097152, n, ${columnsOf("trajectory_events")}
       from trajectory_events e, generate_series(2, ${SESSIONS}) n where e.session_id = 1 and e.id % 2097152 <= 8`,
  );
  for (const table of ["plans", "step_results", "step_attempts", "guidance_notes"]) {
    await db.query(
      `insert into ${table} (session_id, ${columnsOf(table)})
       select n, ${columnsOf(table)} from ${table} t, generate_series(2, ${SESSIONS}) n where t.session_id = 1`,
    );
  }
  await db.query(
    `insert into session_facts select s.session_uuid, gen_random_uuid(), f.type, f.revision, f.place, f.event
       from sessions s, session_facts f where s.id > 1 and f.session_uuid <> s.session_uuid`,
  );
  await db.query("vacuum analyze");
}

const VARIED = new Set([
  "session_uuid",
  "learning_key",
  "agent",
  "lane",
  "status",
  "review_status",
  "created_at",
  "reward_stats",
  "metadata",
]);
