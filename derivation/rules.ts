import { AtlasError } from "../errors/atlas-error.ts";
import type { EventLog, LogRecord } from "../log/event-log.ts";
import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { newId, nowMicros } from "../schemas/identity.ts";
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
  set(rules: Rules): Promise<string>;
  /** {@link RulesStore.set}, and returns the hash of the rules in force in their place: see {@link RulesStore.inForce}. */
  ensure(rules: Rules): Promise<string>;
  /**
   * The hash of the rules that hold where a session names these: those that were promoted last, if that was after these
   * were set, else these. A function of the log, whatever the order in which sessions and promotions reached it.
   */
  inForce(hash: string): Promise<string>;
  /** The rules that were promoted last, and whether others were set since; undefined where none were promoted. */
  promoted(): Promise<{ rulesHash: string; overtaken: boolean } | undefined>;
}

/** The hash of the rules that an event was made under, where it names one. */
function hashOf(event: AtlasEvent): string | undefined {
  if (event.type === "SessionJudged") return event.rules_hash;
  return event.meta.derivation?.rules_hash || undefined;
}

function rulesSet(rules: Rules, hash: string): AtlasEvent {
  // Processes that open a new log at once may each set the rules: for readers the second is a repetition.
  const source = `rules/${hash}`;
  return createEvent(
    "RulesSet",
    { event_id: newId(), source, sequence: 1, occurred_at: nowMicros(), time_assumed: false },
    { rules_hash: hash, rules: stableJson(rules) },
  );
}

/** Opens the rules of a log. */
export function openRules(log: EventLog): RulesStore {
  const known = new Map<string, Rules>();
  /** How many promotions the log held when these rules were set. */
  const setAfter = new Map<string, number>();
  const promotions: string[] = [];
  let readTo = 0;

  const readOn = async (): Promise<void> => {
    const any = rulesSet({} as Rules, "");
    const partition = partitionOf(keyOf(any), log.partitions);
    for await (const batch of log.read(["atlas.decisions"], { partition, fromOffset: readTo })) {
      for (const { event, offset } of batch) {
        if (offset < readTo) continue;
        readTo = offset + 1;
        // Of a version, a promotion says nothing about rules.
        if (event.type === "DerivationPromoted" && event.rules_hash !== "") promotions.push(event.rules_hash);
        if (event.type !== "RulesSet" || known.has(event.rules_hash)) continue;
        known.set(event.rules_hash, completeRules(JSON.parse(event.rules) as StoredRules));
        setAfter.set(event.rules_hash, promotions.length);
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

  const set = async (rules: Rules): Promise<string> => {
    const hash = rulesHash(rules);
    if (!known.has(hash)) await readOn();
    if (!known.has(hash)) {
      await log.append([log.mask(rulesSet(rules, hash))]);
      await readOn();
    }
    return hash;
  };

  const inForce = async (hash: string): Promise<string> => {
    await readOn();
    return promotions.length > (setAfter.get(hash) ?? 0) ? promotions.at(-1)! : hash;
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
    set,
    ensure: async (rules) => inForce(await set(rules)),
    inForce,
    async promoted() {
      await readOn();
      const rulesHash = promotions.at(-1);
      if (rulesHash === undefined) return undefined;
      return { rulesHash, overtaken: [...setAfter.values()].includes(promotions.length) };
    },
  };
}
