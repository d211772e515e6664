import type { AtlasConfig } from "../configs/config-schema.ts";
import type { Database } from "../database/database.ts";
import type { RulesStore } from "../derivation/rules.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { type RunResult, runSession } from "../producers/run-session.ts";
import type { Flusher } from "../recording/flusher.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import type { Masking } from "../schemas/masked.ts";
import type { Telemetry } from "../sinks/telemetry/telemetry.ts";
import { maskError } from "./capture.ts";
import { readHistory } from "./learning-history.ts";
import { type RunOptions, runResolver } from "./run-options.ts";

/** What runs work with. */
export interface RunnerContext {
  config: AtlasConfig;
  db: Database;
  rules: RulesStore;
  flusher: Flusher;
  telemetry: Telemetry | undefined;
  mask: Masking;
  logger: GuardedLogger;
}

/** What runs one task as a session. */
export function runnerOf(context: RunnerContext): (run: RunOptions) => Promise<RunResult> {
  const { config, db, rules, flusher, telemetry, mask, logger } = context;
  const resolveRun = runResolver(config, readHistory(db, logger), logger);
  return async (run) => {
    const asksModel = run.judge !== undefined || run.judges?.some(({ kind }) => kind === "model") === true;
    if (asksModel && config.capture.level !== "full") {
      const message = `the capture level ${config.capture.level} hides from the judge what it would judge`;
      throw new AtlasError("ATLAS_RUN_INVALID", message, {
        hint: "Run without a judge of your own, or capture in full.",
      });
    }
    const { onEvent } = run;
    const spans = telemetry?.session();
    const observed =
      spans === undefined
        ? run
        : {
            ...run,
            onEvent(event: AtlasEvent) {
              spans.add(event);
              return onEvent?.(event);
            },
          };
    const { rules: weighed, ...resolved } = await resolveRun(observed);
    const rulesHash = await rules.ensure(weighed);
    const result = await runSession({ ...resolved, flusher, logger, rulesHash });
    spans?.end();
    if (result.error !== undefined) result.error = maskError(result.error, mask);
    return result;
  };
}
