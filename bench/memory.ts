/**
 * How much memory reading, exporting, building, reports, metrics and decisions take, each in a process of its own, with so
 * many sessions, and then with so many.
 *
 *     node bench/memory.ts [--sessions 50000,500000] [--events 8] [--only dataset --only approve]
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
    sessions: { type: "string", default: "50000,500000" },
    events: { type: "string", default: "8" },
    only: { type: "string", multiple: true },
  },
});
const steps = values.sessions.split(",").map(Number);

/** In their order: what is decided adds to the log. */
const COMMANDS = ["stream", "export", "dataset", "split", "rewards", "drift", "metrics", "approve"];

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
    for (const most of steps) {
      console.error(`filling a log up to ${most} sessions`);
      const begun = performance.now();
      await fill(store, madeUpSessions(most, Number(values.events), made));
      console.error(`filled in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
      made = most;
      for (const what of COMMANDS) {
        if (values.only?.includes(what) === false) continue;
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
