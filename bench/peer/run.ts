/**
 * Reads the same sessions with the Python SDK's client and with ours, from one Postgres, in turns.
 *
 *     node bench/peer/run.ts [--sessions 2000] [--events 60] [--limit 100] [--rounds 3] [--json]
 */
import { parseArgs } from "node:util";
import type { Database } from "../../log/postgres/database.ts";
import { openPostgres } from "../../log/postgres/pg-database.ts";
import { getTrainingSessions } from "../../projections/training-data.ts";
import { installArcAtlas } from "../../tests/interop/arc-atlas.ts";
import { READER_SCHEMA } from "../../tests/interop/reader-schema.ts";
import { startServices } from "../../tests/services/services.ts";
import { machineOf } from "../machine.ts";
import { madeUpSessions } from "../sessions.ts";
import { median } from "../stats.ts";
import { fill, openStoreAt } from "../stores.ts";
import { startPythonClient } from "./python-client.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "2000" },
    events: { type: "string", default: "60" },
    limit: { type: "string", default: "100" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const [sessions, events, limit, rounds] = [values.sessions, values.events, values.limit, values.rounds].map(
  Number,
) as [number, number, number, number];

const TABLES = {
  sessions:
    "id, task, status, metadata, final_answer, reward, reward_stats, reward_audit, student_learning, teacher_learning, review_status, review_notes, created_at, completed_at",
  plans: "session_id, plan",
  step_results: "session_id, step_id, trace, output, evaluation, metadata, attempts",
  step_attempts: "session_id, step_id, attempt, evaluation",
  guidance_notes: "session_id, step_id, sequence, note",
  trajectory_events: "session_id, event, created_at",
};

/** The same rows in the peer's own tables, which have no index on the session of an event. */
async function copyToPeerTables(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query("create schema peer");
    await tx.query("set local search_path = peer");
    await tx.query(READER_SCHEMA);
    for (const [table, columns] of Object.entries(TABLES)) {
      const order = table === "trajectory_events" ? "order by id" : "";
      await tx.query(
        `insert into peer.${table} (${columns}) select ${columns} from public.${table} ${order}`,
      );
    }
  });
  await db.query("analyze");
}

interface Figure {
  client: string;
  tables: string;
  rates: number[];
  eventsEach: number;
}

async function measure(url: string): Promise<Figure[]> {
  const db = await openPostgres(url);
  const python = startPythonClient();
  const peerUrl = `${url}?search_path=peer`;
  const figure = (client: string, tables: string): Figure => ({ client, tables, rates: [], eventsEach: 0 });
  const figures = {
    shipped: figure("Python client 0.1.16", "its own, as shipped"),
    indexed: figure("Python client 0.1.16", "its own, with an index on events"),
    ofOurs: figure("Python client 0.1.16", "ours"),
    ours: figure("getTrainingSessions", "ours"),
  };
  const note = (into: Figure, round: number, count: number, all: number, seconds: number): void => {
    into.eventsEach = all / count;
    if (round > 0) into.rates.push(count / seconds);
  };
  const peer = async (into: Figure, at: string, round: number): Promise<void> => {
    const call = await python.call(at, limit);
    note(into, round, call.sessions, call.events, call.seconds);
  };
  const ours = async (round: number): Promise<void> => {
    const start = performance.now();
    const read = await getTrainingSessions(db, { limit, reviewStatusFilters: "all" });
    const all = read.reduce((sum, { trajectoryEvents }) => sum + trajectoryEvents!.length, 0);
    note(figures.ours, round, read.length, all, (performance.now() - start) / 1000);
  };
  try {
    await db.query("drop index if exists peer.peer_events_idx");
    for (let round = 0; round <= rounds; round += 1) {
      await peer(figures.shipped, peerUrl, round);
      // Ours takes too little time for one call to say much.
      for (let call = 0; call < 5; call += 1) await ours(round);
    }
    await db.query("create index peer_events_idx on peer.trajectory_events (session_id, id desc)");
    await db.query("analyze peer.trajectory_events");
    for (let round = 0; round <= rounds; round += 1) {
      await peer(figures.indexed, peerUrl, round);
      await peer(figures.ofOurs, url, round);
      for (let call = 0; call < 5; call += 1) await ours(round);
    }
    return Object.values(figures);
  } finally {
    await python.close();
    await db.close();
  }
}

const plain = (value: number): string =>
  value < 100 ? value.toPrecision(3) : Math.round(value).toLocaleString("en-US");

async function run(): Promise<void> {
  const unavailable = installArcAtlas();
  if (unavailable !== undefined) throw new Error(unavailable);
  const services = await startServices({ postgres: true });
  try {
    const machine = await machineOf(services);
    const { store, url } = await openStoreAt(services);
    try {
      console.error(`filling a log with ${sessions} sessions`);
      await fill(store, madeUpSessions(sessions, events));
      await copyToPeerTables(store.db);
      console.error("measuring");
      const figures = await measure(url);
      const best = median(figures.at(-1)!.rates);
      if (values.json) {
        console.log(JSON.stringify({ machine, sessions, events, limit, rounds, figures }, null, 2));
        return;
      }
      console.log(`newest ${limit} of ${sessions} sessions of about ${events} events; medians, ${machine}\n`);
      for (const { client, tables, rates, eventsEach } of figures) {
        const rate = median(rates);
        console.log(
          `${client.padEnd(21)} ${tables.padEnd(33)} ${plain(rate).padStart(7)} sessions/s, ` +
            `${Math.round(eventsEach)} events each; ours is ${plain(best / rate)} times as fast`,
        );
      }
    } finally {
      await store.close();
    }
  } finally {
    await services.stop();
  }
}

await run();
