import { entryText } from "./entry-text.ts";
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from "./logger.ts";

/** How lines look: for people, or one JSON object each. */
export type LineFormat = "text" | "json";

/** How a logger that writes lines works. */
export interface LineLoggerOptions {
  format: LineFormat;
  /** The least level that is written. */
  level: LogLevel;
  /** Takes one line, without its end. */
  write: (line: string) => void;
}

const LABELS: Readonly<Record<LogLevel, string>> = {
  debug: "debug: ",
  info: "",
  warn: "warning: ",
  error: "error: ",
};

/**
 * A logger that writes each entry as one line.
 *
 * @example
 * const logger = lineLogger({ format: "json", level: "info", write: (line) => process.stderr.write(`${line}\n`) });
 */
export function lineLogger({ format, level: least, write }: LineLoggerOptions): Logger {
  const isLevelEnabled = (level: LogLevel): boolean => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
  const lineOf = (level: LogLevel, fields: LogFields, message: string): string =>
    format === "text"
      ? `${LABELS[level]}${entryText(fields, message)}`
      : JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg: message });
  const entry = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (isLevelEnabled(level)) write(lineOf(level, fields, message));
  };
  return {
    debug: entry("debug"),
    info: entry("info"),
    warn: entry("warn"),
    error: entry("error"),
    isLevelEnabled,
  };
}
