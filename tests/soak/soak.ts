// Kills processes at random until it can be believed that nothing is lost, and nothing counts twice.
import { parseArgs } from "node:util";
import { startServices } from "../services/services.ts";
import { type KillOptions, killRounds, problemsIn, type Round } from "./kill-rounds.ts";
import {
  databasesBeside,
  EMBEDDED_CASTS,
  embeddedPlace,
  kafkaPlace,
  postgresPlace,
  SERVER_CASTS,
} from "./places.ts";
import { writePlanted } from "./planted.ts";

const LOGS = ["embedded", "postgres", "kafka"] as const;
type Log = (typeof LOGS)[number];

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    log: { type: "string", default: "embedded" },
    planted: { type: "boolean", default: false },
  },
});

function usage(problem: string): never {
  process.stderr.write(
    `${problem}\nUsage: npm run soak -- [--kills N] [--seed S] [--log ${LOGS.join("|")}] [--planted]\n`,
  );
  process.exit(2);
}

const whole = (text: string, flag: string): number =>
  /^\d+$/.test(text) ? Number(text) : usage(`${flag} takes a whole number`);

const isLog = (text: string): text is Log => (LOGS as readonly string[]).includes(text);

/** Where rounds take place, and how what was started for them ends. */
async function stage(log: Log): Promise<Pick<KillOptions, "casts" | "makePlace"> & { end(): Promise<void> }> {
  if (log === "embedded")
    return { casts: EMBEDDED_CASTS, makePlace: embeddedPlace, end: async () => undefined };
  const services = await startServices({ kafka: log === "kafka", registry: log === "kafka", postgres: true });
  const { brokers, schemaRegistryUrl } = services;
  const database = databasesBeside(services.databaseUrl);
  const makePlace =
    log === "kafka" ? kafkaPlace({ brokers, schemaRegistryUrl }, database) : postgresPlace(database);
  return { casts: SERVER_CASTS, makePlace, end: services.stop };
}

/** Enough for several windows of drift in each learning key. */
const PLANTED_RUNS = 300;
const PLANTED_CASTS: Record<Log, KillOptions["casts"]> = {
  embedded: [["both"], ["worker", "importer"]],
  postgres: [
    ["worker", "importer"],
    ["worker", "worker", "importer"],
  ],
  kafka: [
    ["worker", "importer"],
    ["worker", "worker", "worker", "worker", "importer"],
  ],
};

const kills = whole(values.kills, "--kills");
const seed = whole(values.seed, "--seed");
const log = isLog(values.log) ? values.log : usage("--log takes the name of a log");

const show = ({ round, cast, kills: killed, repeated, anomalies }: Round): void => {
  const verdict = anomalies.length === 0 ? "as undisturbed" : `${anomalies.length} ANOMALIES`;
  process.stdout.write(
    `round ${round}: ${cast.join(", ")}; ${killed} kills; ${repeated} repetitions dropped; ${verdict}\n`,
  );
};

process.stdout.write(`${kills} kills on the ${log} log, seed ${seed}\n`);
const { casts, makePlace, end } = await stage(log);
try {
  const planted: Partial<KillOptions> = values.planted
    ? { casts: PLANTED_CASTS[log], writeRuns: (file, by) => writePlanted(file, by, PLANTED_RUNS) }
    : {};
  const report = await killRounds({ kills, seed, casts, makePlace, onRound: show, ...planted });
  const problems = problemsIn(report);
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(
    `${report.kills} kills in ${report.rounds.length} rounds: ${problems.length} anomalies\n`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await end();
}
