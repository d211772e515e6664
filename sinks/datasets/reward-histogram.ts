const BINS = 10;
const WIDTH = 40;

/** How often which rewards occur, in tenths. */
export class RewardHistogram {
  readonly #bins = new Array<number>(BINS).fill(0);
  #without = 0;

  /** @param reward from 0 to 1; null for none */
  add(reward: number | null): void {
    if (reward === null) {
      this.#without += 1;
      return;
    }
    // Sums of thirds and the like come out a little below what they are.
    const bin = Math.floor(reward * BINS + 1e-9);
    this.#bins[Math.min(Math.max(bin, 0), BINS - 1)]! += 1;
  }

  /** A line for each tenth, and one for what has no reward. */
  lines(): string[] {
    const rows = this.#bins.map((count, index): [name: string, count: number] => [
      `${(index / BINS).toFixed(1)}-${((index + 1) / BINS).toFixed(1)}`,
      count,
    ]);
    const all = [...rows, ["none", this.#without] as const];
    const most = all.reduce((greatest, [, count]) => Math.max(greatest, count), 1);
    return all.map(
      ([name, count]) =>
        `${name.padEnd(7)} ${"#".repeat(Math.ceil((count / most) * WIDTH)).padEnd(WIDTH)} ${count}`,
    );
  }
}
