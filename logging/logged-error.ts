import { isAtlasError } from "../errors/atlas-error.ts";
import { ERROR_CODES, type ErrorCode } from "../errors/codes.ts";

/** An error as it may stand in a log: what kind it is and where it happened, without what anybody wrote. */
export interface LoggedError {
  /** The error's class, such as `AtlasError` or `TypeError`. */
  type: string;
  /** The code of an AtlasError, of the operating system or of Postgres. */
  code?: string;
  /**
   * The error's message, left out where it may quote what was being worked on. It is not called `message`, because some
   * loggers rewrite whatever looks like an error.
   */
  reason?: string;
  /** What an AtlasError is about: a topic and offset, a file and line. */
  where?: string;
  /** What to do about it. */
  hint?: string;
  /** The place in the code, where there is no message. */
  at?: string;
}

/** Codes whose messages may quote the content of events, or somebody else's error. */
const QUOTING: readonly ErrorCode[] = [
  "ATLAS_UNEXPECTED",
  "ATLAS_IMPORT_MALFORMED",
  "ATLAS_EVENT_INVALID",
  "ATLAS_EVENT_UNREADABLE",
  "ATLAS_CONSUMER_UNHEALTHY",
  "ATLAS_PROCESSOR_IMPURE",
  "ATLAS_RUN_INVALID",
  "ATLAS_MODEL_FAILED",
  "ATLAS_AGENT_FAILED",
  "ATLAS_ATTEMPT_REJECTED",
  "ATLAS_PLAN_INVALID",
  "ATLAS_SESSION_NOT_FOUND",
  "ATLAS_SESSION_AMBIGUOUS",
  "ATLAS_REQUEST_INVALID",
];

/** Classes of Postgres's codes whose messages quote values: data, constraints, and what a trigger raises. */
const QUOTING_SQLSTATE = /^(22|23|P0)/;

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Whether a message is of the operating system or of Postgres, and names only places. */
function namesPlacesOnly(error: object, code: string | undefined): boolean {
  if ("syscall" in error) return true;
  return "severity" in error && code !== undefined && SQLSTATE.test(code) && !QUOTING_SQLSTATE.test(code);
}

/** The innermost place in the code that an error came from. */
function placeOf({ stack = "" }: Error): string | undefined {
  return /^ {4}at (.+)$/m.exec(stack)?.[1];
}

/**
 * What may be logged of anything that was thrown. An AtlasError keeps its words, unless they may quote an event: then
 * the words of its code stand for them. Of what is not ours, the class, the code and the place are kept.
 *
 * @example
 * loggedError(new TypeError("no task “buy milk”")); // { type: "TypeError", at: "apply (…/processor.ts:12:5)" }
 */
export function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error };
  const type = error.constructor.name || error.name;
  if (isAtlasError(error)) {
    const { code, where, hint } = error;
    const reason = QUOTING.includes(code) ? ERROR_CODES[code] : error.message;
    return {
      type,
      code,
      reason,
      ...(where !== undefined && { where }),
      ...(hint !== undefined && { hint }),
    };
  }
  if (error instanceof AggregateError && error.errors.length > 0) return loggedError(error.errors[0]);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const reason = namesPlacesOnly(error, code) ? error.message : undefined;
  const at = reason === undefined ? placeOf(error) : undefined;
  return {
    type,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    ...(at !== undefined && { at }),
  };
}

/** A logged error in one line. */
export function errorWords({ type, code, reason, where, hint, at }: LoggedError): string {
  const what = [code ?? type, reason].filter((word) => word !== undefined).join(": ");
  const place = where ?? at;
  const words = `${what}${place === undefined ? "" : ` (${place})`}`;
  return hint === undefined ? words : `${words.replace(/[.!?]$/, "")}. ${hint}`;
}
