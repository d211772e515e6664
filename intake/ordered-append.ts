import { isAtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import type { SessionJudged } from "../schemas/generated/events.ts";
import type { Masked } from "../schemas/masked.ts";

/** How long consumers may take for one round before the rest is appended without waiting for them. */
const ROUND_MS = 20_000;

/** Who appends in order, and what it waits for. */
export interface OrderedAppendOptions {
  /** Resolves when every session that the log holds is rewarded; it fails with ATLAS_CONSUMER_BEHIND after `timeoutMs`. */
  rewarded: (patience: { timeoutMs: number; signal?: AbortSignal }) => Promise<void>;
  /** Called once when no consumer keeps up, and the rest is appended without waiting. */
  onUnordered: () => void;
  /** Ends the waiting; sessions that were not closed by then are when they are imported again. */
  signal?: AbortSignal | undefined;
}

/** Cuts closing events into rounds that hold each learning key once, in their order. */
function roundsOf(closing: readonly Masked<SessionJudged>[]): Masked<SessionJudged>[][] {
  const rounds: Masked<SessionJudged>[][] = [];
  const depth = new Map<string, number>();
  for (const event of closing) {
    const round = depth.get(event.learning_key) ?? 0;
    depth.set(event.learning_key, round + 1);
    rounds[round] ??= [];
    rounds[round].push(event);
  }
  return rounds;
}

/**
 * An append under which sessions of one learning key are rewarded one after the other, in the order in which they are
 * given. Drift compares a session with those before it: when many finished sessions are appended at once, partitions
 * would otherwise decide which those are, and two imports of the same file could differ.
 */
export function orderedAppend(
  log: Pick<EventLog, "append">,
  { rewarded: settled, onUnordered, signal }: OrderedAppendOptions,
): (events: readonly Masked[]) => Promise<void> {
  let waiting = true;
  const rewarded = async (): Promise<void> => {
    if (!waiting) return;
    try {
      await settled({ timeoutMs: ROUND_MS, ...(signal && { signal }) });
    } catch (error) {
      if (!isAtlasError(error, "ATLAS_CONSUMER_BEHIND")) throw error;
      waiting = false;
      onUnordered();
    }
  };
  return async (events) => {
    const closing = events.filter((event): event is Masked<SessionJudged> => event.type === "SessionJudged");
    await log.append(events.filter((event) => event.type !== "SessionJudged"));
    // An import that was killed may have left sessions behind that nobody has rewarded yet.
    if (closing.length > 0) await rewarded();
    for (const round of roundsOf(closing)) {
      await log.append(round);
      await rewarded();
    }
  };
}
