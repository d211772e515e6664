import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect } from "vitest";
import { LOOKED } from "../log/looked.ts";
import { eventually } from "./eventually.ts";

/**
 * Waits until loops of this process have looked for work again: what they did not do by then, they will not do. A look
 * may be under way already, so one of each loop does not count.
 *
 * @param loop "reaper", "judging" or "alerts/<destination>"
 * @param loops how many of that name run
 * @example
 * await looks("judging");
 * expect(server.requests).toEqual([]);
 */
export async function looks(loop: string, loops = 1): Promise<void> {
  let count = 0;
  const hear = (name: unknown): void => {
    if (name === loop) count += 1;
  };
  subscribe(LOOKED, hear);
  try {
    await eventually(() => expect(count, `looks of ${loop}`).toBeGreaterThanOrEqual(3 * loops), 5);
  } finally {
    unsubscribe(LOOKED, hear);
  }
}
