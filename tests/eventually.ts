import { vi } from "vitest";

/** Far beyond what a loaded machine takes: only what never happens is waited for so long. */
export const LIMIT_MS = 120_000;

/**
 * Waits until a check passes; fails as the check did last when it never does.
 *
 * @returns what the check returns
 * @example
 * await eventually(() => expect(receiver.received).toHaveLength(1));
 */
export const eventually = <T>(check: () => T | Promise<T>, interval = 50): Promise<T> =>
  vi.waitFor(check, { timeout: LIMIT_MS, interval });
