import { READ_MODELS } from "../derivation/stage-list.ts";
import { settle } from "../derivation/stages.ts";
import { orderedAppend } from "../intake/ordered-append.ts";
import type { EventLog } from "../log/event-log.ts";
import { knownSequences } from "../log/runner/known-sequences.ts";

/**
 * What an intake needs of a log: an append that keeps sessions of a learning key in their order, and what the log
 * has of a session already.
 *
 * @param onUnordered called once when no consumer keeps up, and sessions are appended without waiting for those before
 * @param signal ends the waiting
 */
export const intakeInto = (log: EventLog, onUnordered: () => void, signal?: AbortSignal) => ({
  mask: log.mask,
  append: orderedAppend(log, {
    rewarded: (patience) => settle(log, { upTo: "session-rewards", ...patience }),
    onUnordered,
    signal,
  }),
  knownSequences: (sources: readonly string[]) => knownSequences(log, READ_MODELS, sources),
});
