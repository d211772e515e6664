import type { AtlasEvent, Meta } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import type { Masked, Masking } from "../../schemas/masked.ts";
import { splitContent } from "../../traces/content.ts";

/** Into which log events go. */
interface Target {
  /** The rules that everything derived from the session works by there. */
  rulesHash: string;
  mask: Masking;
}

/**
 * The events of a session from another log, for this one: with their ids, sequences and times, so that it is the same
 * session wherever it goes. It is rewarded by the rules of this log, which may not know those of the other. What was cut
 * there because of its size is cut again at the same places.
 */
export function restoredEvents(events: readonly AtlasEvent[], { rulesHash, mask }: Target): Masked[] {
  return events.flatMap((event) => {
    const here: AtlasEvent = event.type === "SessionJudged" ? { ...event, rules_hash: rulesHash } : event;
    const { source } = event.meta;
    let { sequence } = event.meta;
    const nextMeta = (): Meta => {
      sequence += 1;
      return { ...event.meta, event_id: idOf(source, "continued", sequence), sequence };
    };
    return splitContent(mask(here), nextMeta);
  });
}
