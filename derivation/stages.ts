import { isAtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { drift } from "../processors/drift.ts";
import type { Processor } from "../processors/processor.ts";
import { review } from "../processors/review.ts";
import { sessionRewards } from "../processors/session-rewards.ts";
import { refuseOutdated } from "./processor-state.ts";
import type { Stage } from "./stage-list.ts";
import { NO_PARTS, stagesWith, type UserParts } from "./user-parts.ts";

/** The processors, in the order in which facts flow through them. */
export const PROCESSORS: readonly Processor[] = [sessionRewards, drift, review];

/** How long to wait for consumers, and what ends the wait early. */
export interface SettleOptions {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** What users added to the log's consumers; nothing unless told. */
  parts?: UserParts | undefined;
}

/** Milliseconds without progress after which it is asked whether a consumer waits for an upgrade. */
const GRACE_MS = 2000;

async function waitFor(
  log: EventLog,
  { group, topics }: Stage,
  processors: readonly Processor[],
  patience: Omit<SettleOptions, "parts">,
) {
  const ends = await log.ends(topics);
  const { timeoutMs = Number.POSITIVE_INFINITY } = patience;
  try {
    await log.caughtUp(group, ends, { ...patience, timeoutMs: Math.min(timeoutMs, GRACE_MS) });
  } catch (error) {
    if (!isAtlasError(error, "ATLAS_CONSUMER_BEHIND")) throw error;
    const processor = processors.find(({ name }) => name === group);
    if (processor !== undefined && log.db !== undefined) await refuseOutdated(log.db, processor);
    if (timeoutMs <= GRACE_MS) throw error;
    await log.caughtUp(group, ends, patience);
  }
}

/**
 * Resolves when every group has applied what the log held when it was called, and what that led to.
 *
 * @throws AtlasError ATLAS_CONSUMER_BEHIND when a group makes no progress for a while; ATLAS_PROCESSOR_OUTDATED when
 *   that is because an earlier version wrote its state
 */
export async function settle(
  log: EventLog,
  { timeoutMs, signal, parts = NO_PARTS }: SettleOptions = {},
): Promise<void> {
  const patience = { ...(timeoutMs && { timeoutMs }), ...(signal && { signal }) };
  const processors = [...PROCESSORS, ...parts.processors];
  for (const stage of stagesWith(parts)) await waitFor(log, stage, processors, patience);
}
