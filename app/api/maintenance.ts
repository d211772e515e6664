import { type DeadLetter, listDeadLetters } from "../../log/dead-letters.ts";
import type { DrainReport } from "../../recording/spool/drain-spools.ts";
import type { AlertDelivery } from "../alerting.ts";
import { alertDeliveries, retryAlerts } from "../alerting.ts";
import { sinkConsumers } from "../host.ts";
import { type RetryOptions, type RetryOutcome, retryDeadLetters } from "../retry-dead-letters.ts";
import type { OpenParts } from "./open-parts.ts";

/** Records that a consumer could not apply. */
export interface DeadLetters {
  /** Those that nobody has retried with success, in the order of their places. */
  list(): Promise<DeadLetter[]>;
  /**
   * Hands records to the consumers that refused them, once more.
   *
   * @throws AtlasError ATLAS_DEAD_LETTER_NOT_FOUND, before anything is retried
   * @example
   * const outcomes = await atlas.deadLetters.retry({ ids: ["018f6b0e"] });
   */
  retry(options?: RetryOptions): Promise<RetryOutcome[]>;
}

/** Alerts on their way to their destinations. */
export interface Alerts {
  /**
   * Those that wait or have failed, the newest first.
   *
   * @param options `all`: also those delivered within the last 30 days; `limit`: 100 unless told
   */
  list(options?: { all?: boolean; limit?: number }): Promise<AlertDelivery[]>;
  /**
   * Makes failed alerts due again; processes that host consumers deliver them.
   *
   * @returns how many
   */
  retry(options?: { destination?: string | undefined }): Promise<number>;
}

/** Events that a process left on its disk because the log did not answer. */
export interface SpoolFolder {
  /**
   * Appends what processes that are gone left. Opening does that too, except where `consumers` is false.
   *
   * @throws AtlasError ATLAS_LOG_UNREACHABLE and what else keeps the log from taking it: it stays in the spool
   */
  drain(): Promise<DrainReport>;
}

/** {@link DeadLetters} of these parts. */
export const deadLettersOf = (parts: OpenParts): DeadLetters => ({
  list: () => listDeadLetters(parts.log),
  async retry(options) {
    const consumers = { ...(await sinkConsumers(parts.log, parts.config)), ...options?.consumers };
    return retryDeadLetters(parts, { ...options, consumers });
  },
});

/** {@link Alerts} of these parts. */
export const alertsOf = ({ db }: OpenParts): Alerts => ({
  list: ({ all = false, limit = 100 } = {}) => alertDeliveries(db, { all, limit }),
  retry: ({ destination } = {}) => retryAlerts(db, destination),
});
