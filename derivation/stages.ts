import type { EventLog } from "../log/event-log.ts";
import { drift } from "../processors/drift.ts";
import type { Processor } from "../processors/processor.ts";
import { review } from "../processors/review.ts";
import { sessionRewards } from "../processors/session-rewards.ts";
import { NO_PARTS, stagesWith, type UserParts } from "./user-parts.ts";

/** The processors, in the order in which facts flow through them. */
export const PROCESSORS: readonly Processor[] = [sessionRewards, drift, review];

/** How long to wait for consumers, and what ends the wait early. */
export interface SettleOptions {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** What users added to the log's consumers; nothing unless told. */
  parts?: UserParts | undefined;
  /** Runs when a group has applied all: what comes of it is then waited for, too. */
  afterStage?: ((group: string) => Promise<void>) | undefined;
}

/**
 * Resolves when every group has applied what the log held when it was called, and what that led to.
 *
 * @throws AtlasError ATLAS_CONSUMER_BEHIND when a group makes no progress for a while
 */
export async function settle(
  log: EventLog,
  { timeoutMs, signal, parts = NO_PARTS, afterStage }: SettleOptions = {},
): Promise<void> {
  const patience = { ...(timeoutMs && { timeoutMs }), ...(signal && { signal }) };
  for (const { group, topics } of stagesWith(parts)) {
    await log.caughtUp(group, await log.ends(topics), patience);
    await afterStage?.(group);
  }
}
