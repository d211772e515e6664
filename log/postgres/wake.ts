/** Wakes the consumers of this process as soon as there is something to do, so that they need not poll for it. */
export class Wake {
  /** Counts notifications: what was notified since a count was taken does not get lost. */
  count = 0;
  private readonly waiting = new Set<() => void>();
  private readonly listeners = new Set<Wake>();

  /** How many wait now. */
  get waiters(): number {
    return this.waiting.size;
  }

  notify(): void {
    this.count += 1;
    for (const wake of [...this.waiting]) wake();
    for (const listener of this.listeners) listener.notify();
  }

  /** Another one, that is also woken when this one is, until the signal aborts. */
  branch(signal: AbortSignal): Wake {
    const branch = new Wake();
    this.listeners.add(branch);
    signal.addEventListener("abort", () => this.listeners.delete(branch), { once: true });
    return branch;
  }

  /**
   * Resolves at once if something was notified after `seen` was read, else at the next notification or after `ms`.
   * Waiting does not keep the process alive.
   */
  after(seen: number, ms: number): Promise<void> {
    if (this.count !== seen) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      timer.unref();
      this.waiting.add(wake);
    });
  }
}
