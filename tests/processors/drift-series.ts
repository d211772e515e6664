import { checkProcessor } from "../../processors/check-processor.ts";
import { type DriftState, drift } from "../../processors/drift.ts";
import type { KeyState } from "../../processors/run-processor.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES, type DriftGuardrails } from "../../schemas/rules.ts";
import { at, type RewardOptions, rewarded, rulesOf } from "./facts.ts";

export type Reward = EventOf<"SessionRewarded">;

export const guarded = (guardrails: Partial<DriftGuardrails>) =>
  rulesOf({ drift: { ...DEFAULT_RULES.drift, ...guardrails } });

export function assessments(facts: readonly AtlasEvent[], guardrails: Partial<DriftGuardrails> = {}) {
  const rules = guarded(guardrails);
  return checkProcessor(drift, facts, { rules, runs: 6 }).events as EventOf<"DriftAssessed">[];
}

/** One session a second with these scores. */
export const series = (
  scores: readonly number[],
  options: (index: number) => RewardOptions = () => ({}),
): Reward[] => scores.map((score, index) => rewarded(String(index), score, at(index + 1), options(index)));

export const perfect = (count: number): number[] => Array.from({ length: count }, () => 1);
export const historyOf = (keyState: KeyState<object> | undefined) => (keyState!.state as DriftState).history!;
/** Values that vary, the same in each run. */
export const varied = (count: number, centre: number, width = 0.05): number[] =>
  Array.from({ length: count }, (_, index) => centre + width * Math.sin(index * 2.4));
export const alerts = (events: readonly EventOf<"DriftAssessed">[]) =>
  events.flatMap(({ alert, reason, direction }, index) => (alert ? [[index, reason, direction]] : []));
