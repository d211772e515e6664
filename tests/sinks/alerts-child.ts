import { startAlerting } from "../../app/alerting.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { destinationsOf } from "./alerts-facts.ts";

// Delivers the alerts of a database, a URL or a folder, to a webhook until it is killed.
const [place, url] = process.argv.slice(2) as [string, string];
const embedded = !place.includes("://");
const db = await (embedded ? openEmbedded(place) : openPostgres(place));
const log = await openPostgresLog({ db, embedded });
await startAlerting(
  log,
  destinationsOf([{ type: "webhook", name: "pager", url, allowPrivate: true, timeoutSeconds: 1 }]),
);
setInterval(() => undefined, 1000);
