/** Rescores and promotes, and is gone right after it has appended what it is told. Argument: a {@link Promoting}. */
import { promote } from "../../derivation/rescore/promote.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import type { Rubric, Rules } from "../../schemas/rules.ts";
import { openPlace, type Place } from "../soak/place.ts";

/** Where and what to promote, and after which append to be gone. */
export interface Promoting {
  place: Place;
  rubric: Rubric;
  rules: Rules;
  branch: string;
  goneAfter: "rules" | "half of the branch" | "promotion" | "half of the revisions";
}

const { place, rubric, rules, branch, goneAfter } = JSON.parse(process.argv[2]!) as Promoting;
const { log } = await openPlace(place, false);

const gone = (): Promise<never> => {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
};

/** How many of these events are appended before it is gone; undefined for all, and it goes on. */
function last([first]: readonly AtlasEvent[], count: number): number | undefined {
  const half = Math.floor(count / 2);
  if (first?.type === "RulesSet") return goneAfter === "rules" ? count : undefined;
  if (first?.type === "DerivationPromoted") return goneAfter === "promotion" ? count : undefined;
  if (first?.meta.derivation?.branch) return goneAfter === "half of the branch" ? half : undefined;
  return goneAfter === "half of the revisions" ? half : undefined;
}

const mortal: EventLog = Object.assign(Object.create(log) as EventLog, {
  async append(events: readonly AtlasEvent[]): Promise<void> {
    const count = last(events, events.length);
    await log.append(events.slice(0, count).map(log.mask));
    if (count !== undefined) await gone();
  },
});

await rescore(mortal, { rubric, rules, branch });
await promote(mortal, { branch, author: "child" });
process.exit(0);
