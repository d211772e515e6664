/**
 * Milliseconds that an answer asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date; undefined where
 * it asks for nothing that can be read. A date that has passed is 0.
 *
 * @param header the value of a header by its name in lower case
 * @param now milliseconds since the epoch
 * @example
 * retryAfterMs((name) => response.headers.get(name));
 */
export function retryAfterMs(
  header: (name: string) => string | null | undefined,
  now: number = Date.now(),
): number | undefined {
  const exact = amount(header("retry-after-ms"));
  if (exact !== undefined) return exact;
  const asked = header("retry-after")?.trim();
  if (!asked) return undefined;
  const seconds = amount(asked);
  if (seconds !== undefined) return seconds * 1000;
  const at = Date.parse(asked);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function amount(text: string | null | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d{1,12}(\.\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}
