import type { AtlasConfig } from "../../configs/config-schema.ts";
import type { Database } from "../../database/database.ts";
import type { RulesStore } from "../../derivation/rules.ts";
import type { SettleOptions } from "../../derivation/stages.ts";
import type { UserParts } from "../../derivation/user-parts.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import type { Projection } from "../../projections/define-projection.ts";

/** What the nouns of an open Atlas work with. */
export interface OpenParts {
  readonly config: AtlasConfig;
  readonly log: EventLog;
  readonly db: Database;
  readonly rules: RulesStore;
  readonly logger: GuardedLogger;
  /** What a user added to the consumers. */
  readonly parts: UserParts<Projection>;
  /** Waits for the consumers, and starts them where that is needed. */
  settled(options?: SettleOptions): Promise<void>;
}

/** Ends a wait or a long work early. */
export interface Interruptible {
  signal?: AbortSignal | undefined;
}
