const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EIO",
  "ENOSPC",
]);
/** SQLSTATEs (or their classes) after which the same statement may succeed later. */
const SQLSTATES = [
  "08",
  "25P03",
  "53",
  "57P01",
  "57P02",
  "57P03",
  "57P05",
  "40001",
  "40P01",
  "55P03",
  "58030",
];

const WORDS =
  /connection terminated|server closed the connection|connection error|timeout expired|query read timeout|timeout exceeded when trying to connect|not queryable/i;

/**
 * Says whether a database error may go away by itself: a lost connection, a full disk, a lock, a restart.
 *
 * @example
 * if (isTransient(error)) await retryLater();
 */
export function isTransient(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, message, retryable } = error as { code?: unknown; message?: unknown; retryable?: unknown };
  if (retryable === true) return true;
  if (typeof code === "string" && (NETWORK.has(code) || SQLSTATES.some((state) => code.startsWith(state))))
    return true;
  return typeof message === "string" && WORDS.test(message);
}
