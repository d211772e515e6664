import { type Backoff, backoffMs } from "../../errors/retry.ts";
import type { Assignment } from "./assignment.ts";

/** How long an assignment that could not go on is left alone. */
const REST: Backoff = { firstMs: 100, longestMs: 2000 };

/** An assignment of a member. One that cannot go on rests, and holds up no other. */
export class Slot {
  readonly assignment: Assignment;
  /** Records of it are being applied. */
  busy = false;
  private restingUntil = 0;
  private failures = 0;

  constructor(assignment: Assignment) {
    this.assignment = assignment;
  }

  /** Whether it can be worked on now. */
  get ready(): boolean {
    return !this.busy && this.restMs === 0;
  }

  /** Milliseconds for which it is still left alone. */
  get restMs(): number {
    return Math.max(0, this.restingUntil - performance.now());
  }

  /** Leaves it alone for a while, for longer each time. */
  rest(): void {
    this.failures += 1;
    this.restingUntil = performance.now() + backoffMs(REST, this.failures, () => 1);
  }

  /** Says that it went on. */
  goesOn(): void {
    this.failures = 0;
  }
}
