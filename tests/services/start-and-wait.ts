// Starts a Postgres, says where, and waits to be killed.
import { startPostgres } from "./native/postgres.ts";

const { pid, folder } = await startPostgres();
process.stdout.write(`${JSON.stringify({ pid, folder })}\n`);
setInterval(() => {}, 60_000);
