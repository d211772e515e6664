import { Option } from "commander";
import { lineLogger } from "../logging/line-logger.ts";
import { LOG_LEVELS, type Logger, type LogLevel } from "../logging/logger.ts";
import { tell } from "./output.ts";

/** How a worker logs. */
export interface WorkerLogOptions {
  log?: "text" | "json";
  logLevel?: LogLevel;
  quiet?: boolean;
}

/** The options for how a worker logs. */
export const workerLogOptions = (): Option[] => [
  new Option("--log <format>", "lines for people, or one JSON object a line; text on a terminal, else json")
    .choices(["text", "json"])
    .env("ATLAS_WORKER_LOG"),
  new Option("--log-level <level>", "the least level that is written; info, with --quiet error")
    .choices([...LOG_LEVELS])
    .env("ATLAS_WORKER_LOG_LEVEL"),
];

/** What a worker logs to: standard error, in the form that is asked for. */
export function workerLogger({ log, logLevel, quiet }: WorkerLogOptions): Logger {
  return lineLogger({
    format: log ?? (process.stderr.isTTY === true ? "text" : "json"),
    level: logLevel ?? (quiet === true ? "error" : "info"),
    write: tell,
  });
}
