// A process that works on a log until it has finished or is killed.
import { explain } from "../../errors/atlas-error.ts";
import { openPlace, type Place } from "./place.ts";

/** What a process does: consume until it is stopped, import without consuming, or import and consume. */
export type Role = "worker" | "importer" | "both";

/** What it is told. */
export interface Orders {
  place: Place;
  role: Role;
  file: string;
}

/** What it tells: that it has opened the log. */
export type Told = "open";

const { place, role, file } = JSON.parse(process.argv[2]!) as Orders;
const tell = (told: Told): void => void process.send?.(told);

// Whoever started this process may be gone.
process.on("disconnect", () => process.exit(1));
try {
  const opened = await openPlace(place, role !== "importer");
  const failed = opened.pipeline?.done;
  tell("open");
  if (role === "worker") {
    const stopped = new Promise((resolve) => process.once("SIGTERM", resolve));
    await Promise.race([stopped, failed]);
  } else {
    await opened.importFile(file);
    await opened.settled();
  }
  await opened.close();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${explain(error)}\n${error instanceof Error ? error.stack : ""}\n`);
  process.exit(1);
}
