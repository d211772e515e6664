/** A loop that has not finished a try for this long is stuck. */
export const STUCK_MS = 30_000;

const running = new Set<Loop>();

/**
 * A loop of this process that has to get on: a consumer, a courier, a reaper. A try counts when it is finished, whether
 * it did something, found nothing to do, or failed and will be made again. Time is counted by a clock that nobody sets.
 */
export class Loop {
  readonly name: string;
  private readonly longestMs: number;
  private dueAt = performance.now();

  /**
   * @param longestMs how long one try may take
   */
  constructor(name: string, longestMs: number = STUCK_MS) {
    this.name = name;
    this.longestMs = longestMs;
    running.add(this);
  }

  /** Whether it gets on. */
  get alive(): boolean {
    return performance.now() < this.dueAt + this.longestMs;
  }

  /** Says that it finished a try, or got further with a long one, and will pause now for so many milliseconds. */
  readonly tried = (pauseMs = 0): void => {
    this.dueAt = performance.now() + pauseMs;
  };

  /** Says that it will try no more. */
  end(): void {
    running.delete(this);
  }
}

/** The loops of this process that are stuck, by name. */
export const stuckLoops = (): string[] => [...running].filter(({ alive }) => !alive).map(({ name }) => name);
