import type { RulesStore } from "../derivation/rules.ts";
import { READ_MODELS } from "../derivation/stage-list.ts";
import type { EventLog } from "../log/event-log.ts";
import { knownSequences } from "../log/runner/known-sequences.ts";
import { aggregate } from "../processors/aggregate-judgements.ts";
import type { JudgementMade } from "../schemas/generated/events.ts";
import type { Rules } from "../schemas/rules.ts";

/** What an intake needs to know of a log: by which rules it rewards, and what it has of a session already. */
export async function intakeInto(log: EventLog, store: RulesStore, rules: Rules) {
  const rulesHash = await store.ensure(rules);
  const { rubric } = store.lookup(rulesHash);
  return {
    log,
    rulesHash,
    isRewarded: (judgements: readonly JudgementMade[]) => aggregate(judgements, rubric).score !== undefined,
    knownSequences: knownSequences(log, READ_MODELS),
  };
}
