import type { Ledger } from "./ledger.ts";

/** Whose events follow each other: neighbours of one session are one entry, so that what waits long takes little room. */
export class LedgerQueue {
  #runs: { ledger: Ledger; count: number }[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(ledger: Ledger): void {
    const last = this.#runs.at(-1);
    if (last?.ledger === ledger) last.count += 1;
    else this.#runs.push({ ledger, count: 1 });
    this.#length += 1;
  }

  /** Takes the first ones out, one for each event. */
  take(count: number): Ledger[] {
    const taken: Ledger[] = [];
    let runs = 0;
    while (taken.length < count && runs < this.#runs.length) {
      const run = this.#runs[runs]!;
      const part = Math.min(run.count, count - taken.length);
      for (let each = 0; each < part; each += 1) taken.push(run.ledger);
      run.count -= part;
      if (run.count === 0) runs += 1;
    }
    this.#runs = this.#runs.slice(runs);
    this.#length -= taken.length;
    return taken;
  }

  distinct(): Set<Ledger> {
    return new Set(this.#runs.map(({ ledger }) => ledger));
  }
}
