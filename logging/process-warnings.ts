import { entryText } from "./entry-text.ts";
import { guardLogger } from "./guard-logger.ts";
import type { LogFields, Logger } from "./logger.ts";

const emit = (fields: LogFields, message: string): void =>
  process.emitWarning(entryText(fields, message), { code: fields.code });

/**
 * The logger of a program that passes none: warnings and errors are warnings of the process, which Node writes to
 * standard error and `process.on("warning")` hears. Everything else goes nowhere.
 */
const processWarnings: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: emit,
  error: emit,
  isLevelEnabled: (level) => level === "warn" || level === "error",
};

/** What parts of Atlas write to that were given no logger. */
export const defaultLogger = guardLogger(processWarnings);
