/** Takes what is due of a queue, says so, and holds it until it is killed. Arguments: a URL or a folder, the queue. */
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { workQueue } from "../../log/queue/work-queue.ts";

const [place, queue] = process.argv.slice(2) as [string, string];
const db = await (place.includes("://") ? openPostgres(place) : openEmbedded(place));
workQueue<string>(
  db,
  queue,
  ({ payload }) => {
    process.stdout.write(`${payload}\n`);
    return new Promise(() => undefined);
  },
  { backoff: { firstMs: 1, longestMs: 1 }, everyMs: 20 },
);
setInterval(() => undefined, 1000);
