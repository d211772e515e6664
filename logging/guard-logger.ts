import { loggedError } from "./logged-error.ts";
import type { LogFields, Logger, LogLevel } from "./logger.ts";

/** What a part of Atlas says with an entry; the component stands in its logger. */
export interface EntryFields extends Omit<LogFields, "component" | "err"> {
  /** Whatever was thrown. */
  err?: unknown;
}

/** What a part of Atlas writes its entries to. No call ever throws. */
export type ComponentLogger = Record<LogLevel, (fields: EntryFields, message: string) => void>;

/** A logger that may be relied on: each part of Atlas takes its own of it. */
export interface GuardedLogger {
  of(component: LogFields["component"]): ComponentLogger;
}

/** Warns of the first time that a logger fails. What it was told is not repeated. */
function failureWarning(): (error: unknown) => void {
  let warned = false;
  return (error) => {
    if (warned) return;
    warned = true;
    const { type, at } = loggedError(error);
    process.emitWarning(`the logger threw (${[type, at].filter(Boolean).join(" at ")}); the work goes on`, {
      code: "ATLAS_LOGGER_FAILED",
    });
  };
}

function componentLogger(
  port: Logger,
  component: LogFields["component"],
  failed: (error: unknown) => void,
): ComponentLogger {
  const write = (level: LogLevel, { err, ...fields }: EntryFields, message: string): void => {
    try {
      if (port.isLevelEnabled?.(level) === false) return;
      const entry: LogFields = { component, ...fields, ...(err !== undefined && { err: loggedError(err) }) };
      const result: unknown = port[level](entry, message);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
  return {
    debug: (fields, message) => write("debug", fields, message),
    info: (fields, message) => write("info", fields, message),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
  };
}

/**
 * Makes a logger safe to call: what it throws or rejects with is caught and told once as a warning of the process, an
 * error is reduced to what may be logged, and an entry whose level is off is not put together.
 *
 * @example
 * const reaping = guardLogger(pino()).of("reaper");
 * reaping.warn({ code: "ATLAS_REAPER_FAILED", err: error }, "late sessions were not ended");
 */
export function guardLogger(port: Logger): GuardedLogger {
  const failed = failureWarning();
  return { of: (component) => componentLogger(port, component, failed) };
}
