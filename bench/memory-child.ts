/** Does one thing with all sessions of a store, and says how much memory that took. Arguments: what, URL, folder. */
import { join } from "node:path";
import { buildDataset } from "../app/datasets.ts";
import { exportDataset } from "../app/export-dataset.ts";
import { openAtlas } from "../app/open-atlas.ts";
import { openPostgres } from "../database/pg-database.ts";
import { driftReport } from "../derivation/reports/drift-report.ts";
import { rewardReport } from "../derivation/reports/reward-report.ts";
import { openPostgresLog } from "../log/postgres/open-postgres-log.ts";
import { streamTrainingSessions } from "../projections/training-data.ts";
import { stateReader } from "../sinks/metrics/worker-state.ts";

const [what = "", url = "", folder = ""] = process.argv.slice(2);
const db = await openPostgres(url);
const log = await openPostgresLog({ db });
const all = { reviewStatusFilters: "all" } as const;
const work: Record<string, () => Promise<number>> = {
  export: async () => {
    const { manifest } = await exportDataset(
      { log, db },
      { output: join(folder, "all.jsonl"), filters: all },
    );
    return manifest.sessions;
  },
  dataset: async () => {
    const { manifest } = await buildDataset(log, { output: join(folder, "data"), where: all, force: true });
    return manifest.sessions;
  },
  split: async () => {
    const parts = { train: 0.8, eval: 0.2 };
    const options = { output: join(folder, "data"), where: all, force: true, split: parts, shards: 4 };
    return (await buildDataset(log, options)).manifest.sessions;
  },
  stream: async () => {
    let sessions = 0;
    for await (const _ of streamTrainingSessions(db, all)) sessions += 1;
    return sessions;
  },
  rewards: async () => (await rewardReport({ log, db }, { by: "agent" })).sessions,
  drift: async () => (await driftReport({ log, db }, { by: "agent" })).sessions,
  metrics: async () => {
    const { sessions } = await stateReader(log, () => [])();
    return sessions.reduce((sum, { count }) => sum + count, 0);
  },
  approve: async () => {
    const atlas = await openAtlas({ log: { kind: "postgres", databaseUrl: url } });
    try {
      return await atlas.reviews.approveAll({});
    } finally {
      await atlas.close();
    }
  },
};
const start = performance.now();
const sessions = await work[what]!();
const seconds = (performance.now() - start) / 1000;
const megabytes = process.resourceUsage().maxRSS / 1024;
await log.close();
await db.close();
console.log(JSON.stringify({ sessions, seconds, megabytes }));
