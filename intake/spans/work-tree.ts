import type { Work, WorkKind } from "./work.ts";

/** The pieces of work of one trace, by who asked for them. */
export class WorkTree {
  /** In the order in which they began. */
  readonly works: Work[];
  readonly #byId: Map<string, Work>;

  constructor(given: readonly Work[]) {
    // A span that was exported twice is the later one: it knows more.
    this.#byId = new Map(given.map((work) => [work.id, work]));
    this.works = [...this.#byId.values()].sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  }

  /** Work that nobody in the trace asked for, the earliest first. */
  get roots(): Work[] {
    const roots = this.works.filter((work) => this.#parentOf(work) === undefined);
    return roots.length === 0 ? this.works.slice(0, 1) : roots;
  }

  #parentOf({ id, parentId }: Work): Work | undefined {
    return parentId === undefined || parentId === id ? undefined : this.#byId.get(parentId);
  }

  /** Those who asked for it, the nearest first. */
  *ancestorsOf(work: Work): Generator<Work> {
    const seen = new Set([work]);
    for (let at = this.#parentOf(work); at !== undefined && !seen.has(at); at = this.#parentOf(at)) {
      seen.add(at);
      yield at;
    }
  }

  depthOf(work: Work): number {
    return [...this.ancestorsOf(work)].length;
  }

  /** How many of a kind asked for it. */
  above(work: Work, kind: WorkKind): number {
    return [...this.ancestorsOf(work)].filter((each) => each.kind === kind).length;
  }

  /** Those who asked for some of this work, but for those whose tools did. */
  askersOf(works: readonly Work[]): Set<Work> {
    const askers = new Set<Work>();
    for (const work of works) {
      for (const above of this.ancestorsOf(work)) {
        if (above.kind === "tool") break;
        askers.add(above);
      }
    }
    return askers;
  }

  /** The name of the agent that it was done for. */
  agentOf(work: Work): string | undefined {
    if (work.agent !== undefined) return work.agent;
    for (const above of this.ancestorsOf(work)) if (above.agent !== undefined) return above.agent;
    return undefined;
  }
}
