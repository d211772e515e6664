import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { eventually } from "./eventually.ts";

/** Work of which several pieces are done at a time. */
export interface SideBySide {
  /** Most pieces that were worked on at a time. */
  readonly most: number;
  /** Does a piece: none ends before the limit was reached once, or all of them have begun. */
  work<T>(result: T): Promise<T>;
}

/**
 * Shows how many pieces of work are done at a time, however fast the machine is.
 *
 * @param limit how many should be
 * @param total how many pieces there are
 */
export function sideBySide(limit: number, total: number): SideBySide {
  let [now, most, begun] = [0, 0, 0];
  return {
    get most() {
      return most;
    },
    async work(result) {
      now += 1;
      begun += 1;
      most = Math.max(most, now);
      await eventually(() => expect(most >= limit || begun === total).toBe(true));
      // Room for one too many.
      await sleep(20);
      now -= 1;
      return result;
    },
  };
}
