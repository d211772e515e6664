// A process that works on a log until it has finished or is killed.

import { isTransient } from "../../database/transient.ts";
import { explain } from "../../errors/atlas-error.ts";
import { type Orders, TRY_AGAIN } from "./orders.ts";
import { openPlace } from "./place.ts";

const { place, role, file } = JSON.parse(process.argv[2]!) as Orders;

// Whoever started this process may be gone.
process.on("disconnect", () => process.exit(1));
const stopped = new Promise((resolve) => process.once("SIGTERM", resolve));
try {
  const opened = await openPlace(place, role === "worker" || role === "both");
  process.send?.("open");
  if (role === "worker") {
    await Promise.race([stopped, opened.pipeline?.done]);
  } else {
    await opened.importFile(file);
    await opened.settled();
  }
  await opened.close();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${explain(error)}\n${error instanceof Error ? error.stack : ""}\n`);
  process.exit(isTransient(error) ? TRY_AGAIN : 1);
}
