/** Wakes the consumers of this process as soon as it appended something, so that they need not poll for it. */
export class Wake {
  /** Counts notifications: what was notified since a count was taken does not get lost. */
  count = 0;
  private waiting: (() => void)[] = [];

  notify(): void {
    this.count += 1;
    const waiting = this.waiting;
    this.waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves at once if something was notified after `seen` was read, else at the next notification or after `ms`. */
  after(seen: number, ms: number): Promise<void> {
    if (this.count !== seen) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
