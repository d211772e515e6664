/**
 * Reads and exports the same sessions with the Python SDK and with ours, from one Postgres, in turns.
 *
 *     node bench/peer/run.ts [--sessions 2000] [--events 60] [--limit 100] [--rounds 3] [--indexed] [--json]
 *
 * With `--indexed`, Python's tables are read with their index only: without it, each of its calls scans all events.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exportDataset } from "../../app/export-dataset.ts";
import type { Database } from "../../database/database.ts";
import { getTrainingSessions } from "../../projections/training-data.ts";
import { pythonFor } from "../../tests/services/python.ts";
import { startServices } from "../../tests/services/services.ts";
import { machineOf } from "../machine.ts";
import { madeUpSessions } from "../sessions.ts";
import { median } from "../stats.ts";
import { type BenchStore, fill, openStoreAt } from "../stores.ts";
import { copyToPeerTables, indexPeerTables } from "./peer-tables.ts";
import { type PythonClient, startPythonClient } from "./python-client.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "2000" },
    events: { type: "string", default: "60" },
    limit: { type: "string", default: "100" },
    rounds: { type: "string", default: "3" },
    indexed: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [sessions, events, limit, rounds] = [values.sessions, values.events, values.limit, values.rounds].map(
  Number,
) as [number, number, number, number];

interface Figure {
  client: string;
  tables: string;
  rates: number[];
  eventsEach: number;
}

interface ExportFigure {
  exporter: string;
  tables: string;
  rates: number[];
  bytesEach: number;
}

/** Calls of ours in a round: one takes too little time to say much. */
const CALLS = 5;

function note(into: { rates: number[] }, round: number, count: number, seconds: number): void {
  // The first round warms up.
  if (round > 0) into.rates.push(count / seconds);
}

/** Reads with both, in turns. */
async function measureReads(
  db: Database,
  python: PythonClient,
  peers: readonly (readonly [string, string])[],
) {
  const figure = (client: string, tables: string): Figure => ({ client, tables, rates: [], eventsEach: 0 });
  const figures = peers.map(([tables]) => figure("Python client 0.1.16", tables));
  const own = figure("getTrainingSessions", "ours");
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, [, url]] of peers.entries()) {
      const call = await python.read(url, limit);
      figures[index]!.eventsEach = call.events / call.sessions;
      note(figures[index]!, round, call.sessions, call.seconds);
    }
    for (let call = 0; call < CALLS; call += 1) {
      const start = performance.now();
      const read = await getTrainingSessions(db, { limit, reviewStatusFilters: "all" });
      note(own, round, read.length, (performance.now() - start) / 1000);
      own.eventsEach =
        read.reduce((sum, { trajectoryEvents }) => sum + trajectoryEvents!.length, 0) / read.length;
    }
  }
  return [...figures, own];
}

/** Exports with both, in turns. */
async function measureExports(
  store: BenchStore,
  python: PythonClient,
  [tables, url]: readonly [string, string],
): Promise<ExportFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-bench-export-"));
  const figure = (exporter: string, from: string): ExportFigure => ({
    exporter,
    tables: from,
    rates: [],
    bytesEach: 0,
  });
  const peer = figure("Python exporter 0.1.16", tables);
  const own = figure("exportDataset", "ours");
  const filters = { limit, reviewStatusFilters: "all" } as const;
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const call = await python.export(url, limit, join(folder, "peer.jsonl"));
      peer.bytesEach = call.bytes / call.sessions;
      note(peer, round, call.sessions, call.seconds);
      for (let ours = 0; ours < CALLS; ours += 1) {
        const start = performance.now();
        const { file } = await exportDataset(store, { output: join(folder, "ours.jsonl"), filters });
        note(own, round, limit, (performance.now() - start) / 1000);
        own.bytesEach = file.bytes / limit;
      }
    }
    return [peer, own];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const plain = (value: number): string =>
  value < 100 ? value.toPrecision(3) : Math.round(value).toLocaleString("en-US");

async function run(): Promise<void> {
  const interpreter = await pythonFor("sdk", "the Python SDK's client");
  if (interpreter === undefined) throw new Error("the Python SDK cannot be installed here");
  const services = await startServices({ postgres: true });
  try {
    const machine = await machineOf(services);
    const store = await openStoreAt(services);
    const { url } = store;
    try {
      console.error(`filling a log with ${sessions} sessions`);
      await fill(store, madeUpSessions(sessions, events));
      await copyToPeerTables(store.db);
      console.error("measuring");
      const python = startPythonClient(interpreter);
      const peerUrl = `${url}?search_path=peer`;
      const own = ["ours", url] as const;
      const shipped = ["its own, as shipped", peerUrl] as const;
      const indexed = ["its own, with an index on events", peerUrl] as const;
      const figures = values.indexed ? [] : await measureReads(store.db, python, [shipped]);
      const exports = values.indexed ? [] : await measureExports(store, python, shipped);
      await indexPeerTables(store.db);
      for (const figure of await measureReads(store.db, python, [indexed, own])) figures.push(figure);
      for (const figure of await measureExports(store, python, indexed)) exports.push(figure);
      await python.close();
      if (values.json) {
        const shape = { sessions, events, limit, rounds };
        console.log(JSON.stringify({ machine, ...shape, figures, exports }, null, 2));
        return;
      }
      console.log(`newest ${limit} of ${sessions} sessions of about ${events} events; medians, ${machine}\n`);
      for (const { client, tables, rates, eventsEach } of figures)
        console.log(
          `${client.padEnd(21)} ${tables.padEnd(33)} ${plain(median(rates)).padStart(7)} sessions/s, ` +
            `${Math.round(eventsEach)} events each`,
        );
      console.log(`\nexport of the newest ${limit}\n`);
      for (const { exporter, tables, rates, bytesEach } of exports)
        console.log(
          `${exporter.padEnd(23)} ${tables.padEnd(33)} ${plain(median(rates)).padStart(7)} sessions/s, ` +
            `${Math.round(bytesEach / 1000)} kB each`,
        );
    } finally {
      await store.close();
    }
  } finally {
    await services.stop();
  }
}

await run();
