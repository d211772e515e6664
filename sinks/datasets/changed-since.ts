import { decodeRecord } from "../../log/records.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import type { Topic } from "../../schemas/topics.ts";
import { applyFact, emptyFacts } from "../../traces/session-facts.ts";
import type { SessionFacts } from "../../traces/session-trace.ts";
import { listedSessions, verifyFiles } from "./verify-dataset.ts";
import { type ReadableLog, stretchesAgain } from "./window.ts";

/** Sessions of a dataset that would not be in it any more, in the order of its files. */
export interface ChangedSince {
  quarantined: Uuid[];
  erased: Uuid[];
}

const TOLD_ON: readonly Topic[] = ["atlas.review-status", "atlas.decisions"];

/** What was said of sessions behind the place up to which a dataset was built. */
async function factsSince(log: ReadableLog, ends: readonly PlaceOfEnd[]): Promise<Map<Uuid, SessionFacts>> {
  const facts = new Map<Uuid, SessionFacts>();
  for (const { topic, partition, until } of ends)
    for await (const batch of log.readRaw([topic], { partition, fromOffset: until }))
      for (const record of batch) {
        const { event } = decodeRecord(record);
        const session = event.meta.session_id;
        if (session == null || (event.type !== "SessionErased" && event.type !== "ReviewStatusChanged"))
          continue;
        const known = facts.get(session) ?? emptyFacts();
        facts.set(session, known);
        applyFact(known, event);
      }
  return facts;
}

interface PlaceOfEnd {
  topic: Topic;
  partition: number;
  until: number;
}

/**
 * Which sessions of a dataset were quarantined or erased since it was built. Its files are checked first.
 *
 * @param log the one that the dataset was built from; what is derived has to be in it
 * @param place the manifest, or the folder
 * @throws AtlasError as `verifyDataset`; ATLAS_DATASET_LOG_CHANGED or ATLAS_LOG_REPLACED for a log that does not hold as much
 * @example
 * const { quarantined, erased } = await changedSince(atlas.log, "data/support");
 */
export async function changedSince(log: ReadableLog, place: string): Promise<ChangedSince> {
  const { folder, manifest } = await verifyFiles(place);
  const stretches = await stretchesAgain(log, manifest.positions, manifest.log.id);
  const facts = await factsSince(
    log,
    stretches.filter(({ topic }) => TOLD_ON.includes(topic)),
  );
  const changed: ChangedSince = { quarantined: [], erased: [] };
  if (facts.size === 0) return changed;
  for await (const { session_id } of listedSessions(folder, manifest)) {
    const found = facts.get(session_id);
    if (found === undefined) continue;
    if (found.erased !== null) changed.erased.push(session_id);
    else if (found.review_status === "quarantined") changed.quarantined.push(session_id);
  }
  return changed;
}
