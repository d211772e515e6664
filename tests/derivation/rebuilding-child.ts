/** Puts back what topics lost, and is gone in the middle of it. Argument: a {@link Rebuilding}. */
import { rebuild } from "../../app/rebuild.ts";
import type { EventLog, OutgoingRecord } from "../../log/event-log.ts";
import { openPlace, type Place } from "../soak/place.ts";

/** Where, which topics, and when to be gone: when records are in the log, or when it was said that a partition begins there. */
export interface Rebuilding {
  place: Place;
  topics: string[];
  goneAfter: "records" | "beginning";
}

const { place, topics, goneAfter } = JSON.parse(process.argv[2]!) as Rebuilding;
const opened = await openPlace(place, false);
const { refilling } = opened.log;

const gone = (): Promise<never> => {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
};

async function* mortal(
  batches: AsyncIterable<readonly OutgoingRecord[]>,
): AsyncGenerator<readonly OutgoingRecord[]> {
  for await (const batch of batches) {
    yield batch;
    if (goneAfter === "records") await gone();
  }
}

const log: EventLog = Object.assign(Object.create(opened.log) as EventLog, {
  refilling: {
    ...refilling!,
    refill: async (...[tx, at, records]: Parameters<NonNullable<typeof refilling>["refill"]>) => {
      const refilled = await refilling!.refill(tx, at, mortal(records));
      if (refilled.until > refilled.from) await gone();
      return refilled;
    },
  } satisfies EventLog["refilling"],
});

await rebuild({ ...opened, log }, { derived: true, topics });
process.exit(0);
