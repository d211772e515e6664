/**
 * How much memory reading, exporting, building, reports, metrics and decisions take, each in a process of its own, with a
 * tenth of the sessions and with all of them.
 *
 *     node bench/memory.ts [--sessions 100000] [--events 16]
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { startServices } from "../tests/services/services.ts";
import { machineOf } from "./machine.ts";
import { madeUpSessions } from "./sessions.ts";
import { fill, openStoreAt } from "./stores.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "100000" },
    events: { type: "string", default: "16" },
  },
});
const sessions = Number(values.sessions);
const tenth = Math.ceil(sessions / 10);

/** In their order: what is decided adds to the log. */
const COMMANDS = ["stream", "export", "dataset", "rewards", "drift", "metrics", "approve"];

interface Figure {
  sessions: number;
  seconds: number;
  megabytes: number;
}

async function measured(what: string, url: string): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-bench-memory-"));
  const child = join(import.meta.dirname, "memory-child.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [child, what, url, folder]).finally(() =>
    rmSync(folder, { recursive: true }),
  );
  return JSON.parse(stdout) as Figure;
}

const services = await startServices({ postgres: true });
try {
  console.log(`${await machineOf(services)}\n`);
  const store = await openStoreAt(services);
  const { url } = store;
  try {
    let made = 0;
    for (const most of [tenth, sessions]) {
      console.error(`filling a log up to ${most} sessions`);
      const all = madeUpSessions(most, Number(values.events));
      for (let skipped = 0; skipped < made; skipped += 1) all.next();
      await fill(store, all);
      made = most;
      for (const what of COMMANDS) {
        const figure = await measured(what, url);
        console.log(
          `${what.padEnd(8)} ${String(figure.sessions).padStart(7)} sessions  ` +
            `${figure.megabytes.toFixed(0).padStart(5)} MB at most  ${figure.seconds.toFixed(1).padStart(6)} s`,
        );
      }
    }
  } finally {
    await store.close();
  }
} finally {
  await services.stop();
}
