import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { openEmbedded } from "../database/embedded/open-embedded.ts";
import { importRecorded } from "../intake/import/import-recorded.ts";
import type { EventLog } from "../log/event-log.ts";
import { openPostgresLog } from "../log/postgres/open-postgres-log.ts";
import type { Masked } from "../schemas/masked.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { writeConversations } from "./conversations.ts";
import { inTurns, rateOf } from "./rounds.ts";
import { kafkaStore, postgresStore } from "./stores.ts";

const CONVERSATIONS = 100;

/** Imports a file, beside appending the batches that come of it, which lie ready. */
async function besideAppend(
  { rounds, folder }: BenchContext,
  what: string,
  { log, close }: { log: EventLog; close(): Promise<void> },
): Promise<Figure> {
  try {
    const file = join(folder, "conversations.jsonl");
    writeConversations(file, CONVERSATIONS);
    const batches: (readonly Masked[])[] = [];
    const keep = { mask: log.mask, append: async (batch: readonly Masked[]) => void batches.push(batch) };
    const options = { files: [file], learningKey: "bench", rulesHash: "bench" };
    const { events } = await importRecorded({ ...options, log: keep });
    return await inTurns(
      rounds,
      { benchmark: importFiles.name, what, unit: "events/s", beside: "log.append of the same events" },
      {
        ours: () => rateOf(events, () => importRecorded({ ...options, log })),
        ceiling: () =>
          rateOf(events, async () => {
            for (const batch of batches) await log.append(batch);
          }),
      },
    );
  } finally {
    await close();
  }
}

/** Processor time of processes that import a file into an empty embedded log, with and without what is derived. */
async function processorTime({ rounds, folder }: BenchContext): Promise<Figure> {
  const file = join(folder, "derived.jsonl");
  writeConversations(file, CONVERSATIONS);
  let events = 0;
  const secondsOf = async (...flags: string[]): Promise<number> => {
    const child = join(import.meta.dirname, "import-child.ts");
    const path = await mkdtemp(join(folder, "import-"));
    const { stdout } = await promisify(execFile)(process.execPath, [child, path, file, ...flags]);
    const said = JSON.parse(stdout) as { events: number; seconds: number };
    ({ events } = said);
    return said.seconds;
  };
  const sides = { ours: () => secondsOf("--derive"), ceiling: () => secondsOf() };
  const about = {
    benchmark: importFiles.name,
    unit: "CPU s",
    beside: "import of the same, nothing derived",
  } as const;
  const figure = await inTurns(rounds, { ...about, what: "" }, sides);
  return { ...figure, what: `embedded, all of ${events.toLocaleString("en-US")} events derived` };
}

/** Importing recorded conversations into each log, and what an import with all that follows from it costs. */
export const importFiles: Benchmark = {
  name: "import",
  needs: { kafka: true, postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    const db = await openEmbedded(join(context.folder, "import"));
    const log = await openPostgresLog({ db, embedded: true });
    const close = async (): Promise<void> => {
      await log.close();
      await db.close();
    };
    return [
      await besideAppend(context, "embedded", { log, close }),
      await besideAppend(context, "server", await postgresStore(context)),
      await besideAppend(context, "Kafka", await kafkaStore(context)),
      await processorTime(context),
    ];
  },
};
