import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServices } from "../tests/services/services.ts";
import { appendKafka } from "./append-kafka.ts";
import { appendPostgres } from "./append-postgres.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { emit } from "./emit.ts";
import { idleHost } from "./idle.ts";
import { importFiles } from "./import.ts";
import { machineOf } from "./machine.ts";
import { projectLog } from "./project.ts";
import { readKafka } from "./read-kafka.ts";
import { readPostgres } from "./read-postgres.ts";
import { rebuildLog } from "./rebuild.ts";
import { shareOf, tableOf } from "./stats.ts";
import { trainingSessions } from "./training-sessions.ts";

const BENCHMARKS: readonly Benchmark[] = [
  emit,
  appendKafka,
  appendPostgres,
  importFiles,
  readKafka,
  readPostgres,
  projectLog,
  rebuildLog,
  trainingSessions,
  idleHost,
];

const USAGE = `Measures the parts of Atlas, each beside what bounds it.

  --only NAME              one benchmark (may be repeated): ${BENCHMARKS.map(({ name }) => name).join(", ")}
  --rounds N               measured rounds of each (3)
  --sessions N             sessions that are read, projected and rebuilt (500)
  --training-sessions N    sessions of training-sessions (2000)
  --events N               events of each session (60)
  --json                   figures as JSON`;

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} is ${text}, not a whole number above 0`);
}

function readFlags() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      rounds: { type: "string", default: "3" },
      sessions: { type: "string", default: "500" },
      "training-sessions": { type: "string", default: "2000" },
      events: { type: "string", default: "60" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const wanted = values.only ?? BENCHMARKS.map(({ name }) => name);
  const chosen = wanted.map((name) => {
    const found = BENCHMARKS.find((benchmark) => benchmark.name === name);
    if (found === undefined) throw new Error(`there is no benchmark called ${name}`);
    return found;
  });
  return {
    help: values.help,
    json: values.json,
    chosen,
    rounds: wholeNumber("rounds", values.rounds),
    sessions: wholeNumber("sessions", values.sessions),
    trainingSessions: wholeNumber("training-sessions", values["training-sessions"]),
    events: wholeNumber("events", values.events),
  };
}

async function run(): Promise<void> {
  const { help, json, chosen, ...sizes } = readFlags();
  if (help) return console.log(USAGE);
  const begun = performance.now();
  const note = (text: string): void =>
    console.error(`${((performance.now() - begun) / 1000).toFixed(0)} s: ${text}`);
  const kafka = chosen.some(({ needs }) => needs.kafka);
  const postgres = chosen.some(({ needs }) => needs.postgres);
  const folder = await mkdtemp(join(tmpdir(), "atlas-bench-"));
  const services = await startServices({ kafka, registry: kafka, postgres });
  try {
    const machine = await machineOf(services);
    const figures: Figure[] = [];
    for (const benchmark of chosen) {
      note(benchmark.name);
      for (const figure of await benchmark.run({ services, ...sizes, folder, note })) figures.push(figure);
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    if (json) {
      const shares = figures.map((figure) => ({ ...figure, share: shareOf(figure) }));
      console.log(JSON.stringify({ machine, rounds: sizes.rounds, seconds, figures: shares }, null, 2));
    } else {
      console.log(`${tableOf(figures)}\n\nmedian of ${sizes.rounds} rounds, ${seconds} s; ${machine}`);
    }
  } finally {
    await services.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

await run().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
