import { AtlasError, isAtlasError, messageOf } from "../errors/atlas-error.ts";
import type { ConsumeOptions, Consumer, RawRecord, UnitReport } from "../log/event-log.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";

/** What the consumers of a process tell while they run. */
export interface ConsumerEvents {
  /** Called for each record that a group sets aside. */
  onDeadLetter?: ((group: string, record: RawRecord, error: unknown) => void) | undefined;
  /** Called when a group has to wait and try again, and with undefined when it goes on. */
  onRetry?: ((group: string, error: unknown | undefined) => void) | undefined;
  /** Called after each unit of work of a group. */
  onUnit?: ((group: string, unit: UnitReport) => void) | undefined;
  logger?: GuardedLogger | undefined;
}

/** Tries in a row after which it is a warning that a consumer waits: a moment is nothing that anybody must act on. */
const LASTING_TRIES = 20;

/** A connection that broke has no code; it says what happened in plain words. */
function withCode(error: unknown): unknown {
  if (isAtlasError(error) || !(error instanceof Error) || "code" in error) return error;
  return new AtlasError("ATLAS_DATABASE_UNREACHABLE", messageOf(error), { retryable: true, cause: error });
}

/**
 * What a group is consumed with, so that the logger is told how it fares: when it begins to wait, when that lasts or
 * somebody has to act, when it goes on, and what it sets aside.
 *
 * @example
 * await log.consume({ group, topics, ...consumerEvents(group, { logger }) }, apply);
 */
export function consumerEvents(
  group: string,
  { onDeadLetter, onRetry, onUnit, logger = defaultLogger }: ConsumerEvents,
): Pick<Required<ConsumeOptions>, "onDeadLetter" | "onRetry"> & Pick<ConsumeOptions, "onUnit"> {
  const says = logger.of("consumer");
  let tries = 0;
  let warned = false;
  const waits = (error: unknown): void => {
    tries += 1;
    const lasts = tries >= LASTING_TRIES || isAtlasError(error, "ATLAS_PROCESSOR_OUTDATED");
    if (lasts ? warned : tries > 1) return;
    warned ||= lasts;
    says[lasts ? "warn" : "info"](
      { code: "ATLAS_CONSUMER_WAITS", group, err: withCode(error) },
      "waits and tries again",
    );
  };
  const resumes = (): void => {
    if (tries > 0) says.info({ code: "ATLAS_CONSUMER_RESUMED", group, tries }, "goes on");
    tries = 0;
    warned = false;
  };
  return {
    ...(onUnit !== undefined && { onUnit: (unit: UnitReport) => onUnit(group, unit) }),
    onRetry: (error) => {
      if (error === undefined) resumes();
      else waits(error);
      onRetry?.(group, error);
    },
    onDeadLetter: (record, error) => {
      const { topic, partition, offset } = record;
      const place = { group, topic, partition, offset };
      says.error({ code: "ATLAS_RECORD_SET_ASIDE", ...place, err: error }, "set a record aside");
      onDeadLetter?.(group, record, error);
    },
  };
}

/** Tells the logger when a consumer stops for good. */
export function tellStop({ group, done }: Consumer, logger: GuardedLogger = defaultLogger): void {
  done.catch((error: unknown) => {
    logger.of("consumer").error({ code: "ATLAS_CONSUMER_STOPPED", group, err: error }, "stopped");
  });
}
