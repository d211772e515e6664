import { AtlasError } from "../errors/atlas-error.ts";
import type { EventLog, LogRecord } from "../log/event-log.ts";
import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { idOf, newId, nowMicros } from "../schemas/identity.ts";
import { partitionOf } from "../schemas/partition.ts";
import {
  completeRules,
  type Rules,
  type RulesLookup,
  rulesHash,
  type StoredRules,
  stableJson,
} from "../schemas/rules.ts";
import { keyOf } from "../schemas/topics.ts";

/** The rules that the log holds, by hash; reads the log when it meets a hash that it does not know. */
export interface RulesStore {
  /** Makes sure that the rules which these records name are known. */
  load(batch: readonly LogRecord[]): Promise<void>;
  readonly lookup: RulesLookup;
  /** Appends a `RulesSet` unless the log has these rules already, and returns their hash. */
  ensure(rules: Rules): Promise<string>;
}

/** The hash of the rules that an event was made under, where it names one. */
function hashOf(event: AtlasEvent): string | undefined {
  if (event.type === "SessionJudged") return event.rules_hash;
  return event.meta.derivation?.rules_hash || undefined;
}

function rulesSet(rules: Rules, hash: string): AtlasEvent {
  const source = `rules/${newId()}`;
  return createEvent(
    "RulesSet",
    { event_id: idOf("rules", hash), source, sequence: 1, occurred_at: nowMicros(), time_assumed: false },
    { rules_hash: hash, rules: stableJson(rules) },
  );
}

/** Opens the rules of a log. */
export function openRules(log: EventLog): RulesStore {
  const known = new Map<string, Rules>();
  let readTo = 0;

  const readOn = async (): Promise<void> => {
    const any = rulesSet({} as Rules, "");
    const partition = partitionOf(keyOf(any), log.partitions);
    for await (const batch of log.read(["atlas.decisions"], { partition, fromOffset: readTo })) {
      for (const { event, offset } of batch) {
        if (event.type === "RulesSet")
          known.set(event.rules_hash, completeRules(JSON.parse(event.rules) as StoredRules));
        readTo = offset + 1;
      }
    }
  };

  const lookup: RulesLookup = (hash) => {
    const rules = known.get(hash);
    if (rules !== undefined) return rules;
    throw new AtlasError("ATLAS_EVENT_INVALID", `the log has no rules ${hash.slice(0, 12)}…`, {
      hint: "Append a RulesSet event before events that name its hash.",
    });
  };

  return {
    lookup,
    async load(batch) {
      const missing = batch.some(({ event }) => {
        const hash = hashOf(event);
        return hash !== undefined && !known.has(hash);
      });
      if (missing) await readOn();
    },
    async ensure(rules) {
      const hash = rulesHash(rules);
      if (!known.has(hash)) await readOn();
      if (!known.has(hash)) {
        await log.append([rulesSet(rules, hash)]);
        known.set(hash, rules);
      }
      return hash;
    },
  };
}
