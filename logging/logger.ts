import type { LogCode } from "./codes.ts";
import type { LoggedError } from "./logged-error.ts";

/** How much an entry matters, the least first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of the levels of an entry. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The parts of Atlas that write entries. */
export type LogComponent =
  | "agent"
  | "alerts"
  | "close"
  | "config"
  | "consumer"
  | "judging"
  | "lanes"
  | "live-dataset"
  | "log"
  | "reaper"
  | "recorder"
  | "score"
  | "spool"
  | "telemetry"
  | "triage"
  | "worker";

/**
 * What an entry says besides its message: ids, codes and places. No task, answer, prompt, secret or learning key is
 * ever in one.
 */
export interface LogFields {
  /** The part of Atlas that says it. */
  component: LogComponent;
  /** What it is about; stable, unlike the message. */
  code: LogCode;
  /** The consumer group. */
  group?: string;
  topic?: string;
  partition?: number;
  offset?: number;
  /** The session's id. */
  session?: string;
  /** The name of an alert's destination. */
  destination?: string;
  /** A number of events. */
  events?: number;
  /** A number of tries. */
  tries?: number;
  /** A file or folder. */
  path?: string;
  /** An address that answers. */
  url?: string;
  /** What went wrong. */
  err?: LoggedError;
}

/**
 * Where Atlas says what it does beside its results. `pino()` and `console` are ones.
 *
 * @example
 * await using atlas = await openAtlas("atlas.yaml", { logger: pino() });
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** Says that entries of a level go nowhere; they are not put together then. */
  isLevelEnabled?(level: LogLevel): boolean;
}
