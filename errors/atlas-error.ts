import type { ErrorCode } from "./codes.ts";

const BRAND = Symbol.for("atlas-sdk.error");

/** What an {@link AtlasError} carries besides its message. */
export interface AtlasErrorDetails {
  /** Where it went wrong: a file and line, a topic and offset, a flag, a URL without credentials. */
  where?: string;
  /** What the reader can do about it, as one imperative sentence. */
  hint?: string;
  /** The same call may succeed later without a change. */
  retryable?: boolean;
  /** Milliseconds that whoever refused asked to wait before another try. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/**
 * Every failure that leaves this package: a stable code, what was wrong where, and what to do.
 *
 * @example
 * throw new AtlasError("ATLAS_CONFIG_INVALID", "learning_key must be a string", {
 *   where: "atlas.yaml:12:3", hint: "Quote the value.",
 * });
 */
export class AtlasError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: AtlasErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "AtlasError";
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Says whether a thrown value is an {@link AtlasError}, also across two copies of the package.
 *
 * @example
 * try { await log.append(events); } catch (error) {
 *   if (isAtlasError(error, "ATLAS_LOG_UNREACHABLE")) await retryLater();
 *   else throw error;
 * }
 */
export function isAtlasError(error: unknown, code?: ErrorCode): error is AtlasError {
  if (typeof error !== "object" || error === null || !(BRAND in error)) return false;
  return code === undefined || (error as { code?: unknown }).code === code;
}

/** Anything thrown as an error of this package: one of its own as it is. */
export const asAtlasError = (error: unknown): AtlasError =>
  isAtlasError(error) ? error : new AtlasError("ATLAS_UNEXPECTED", messageOf(error), { cause: error });

/**
 * One line for people: code, message, where, what to do. Never a stack trace.
 *
 * @example
 * process.stderr.write(`${explain(error)}\n`);
 */
export function explain(error: unknown): string {
  if (isAtlasError(error)) {
    const where = error.where === undefined ? "" : ` (${error.where})`;
    const hint = error.hint === undefined ? "" : ` ${error.hint}`;
    return `${error.code}: ${error.message}${where}.${hint}`.replace(/([.!?])\.(\s|$)/g, "$1$2");
  }
  return `ATLAS_UNEXPECTED: ${messageOf(error)}`;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(messageOf).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
