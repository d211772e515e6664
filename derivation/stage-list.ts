import type { EventLog } from "../log/event-log.ts";
import { hasNothingToApply } from "../log/postgres/nothing-to-apply.ts";
import { LIVE_TOPICS, type Topic } from "../schemas/topics.ts";

/** The group that fills the read models. */
export const READ_MODELS = "read-models";

/** A group and what it reads. */
export interface Stage {
  group: string;
  topics: readonly Topic[];
}

/**
 * Every group and what it reads, in the order in which facts flow. The processors say the same of themselves; it stands
 * here so that one can know it without loading them.
 */
export const STAGES: readonly Stage[] = [
  { group: "session-rewards@2", topics: ["atlas.sessions"] },
  { group: "drift@3", topics: ["atlas.rewards", "atlas.decisions"] },
  { group: "review@1", topics: ["atlas.drift", "atlas.decisions"] },
  { group: READ_MODELS, topics: LIVE_TOPICS },
];

/** Whether every group has applied all that the log holds, and what that led to; on Kafka one cannot tell at once. */
export async function isSettled(log: EventLog, stages: readonly Stage[] = STAGES): Promise<boolean> {
  return log.kind === "postgres" && log.db !== undefined && hasNothingToApply(log.db, stages);
}
