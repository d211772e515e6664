import type { AtlasConfig } from "../../configs/config-schema.ts";
import type { Database } from "../../database/database.ts";
import type { RulesStore } from "../../derivation/rules.ts";
import { type SettleOptions, settle } from "../../derivation/stages.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";

/** What the nouns of an open Atlas work with. */
export interface OpenParts {
  readonly config: AtlasConfig;
  readonly log: EventLog;
  readonly db: Database;
  readonly rules: RulesStore;
  readonly logger: GuardedLogger;
}

/** Ends a wait or a long work early. */
export interface Interruptible {
  signal?: AbortSignal | undefined;
}

/** Waits for the consumers of a log, unless a signal ends that. */
export const settledBy = (log: EventLog, { signal }: Interruptible): Promise<void> =>
  settle(log, (signal === undefined ? {} : { signal }) satisfies SettleOptions);
