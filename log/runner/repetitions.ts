import type { LogRecord } from "../event-log.ts";

/** A source as one partition of one topic knows it: sequences count within it. */
const sourceOf = ({ topic, partition, event }: LogRecord): string =>
  `${topic}/${partition}/${event.meta.source}`;

/**
 * Drops what a source has said before. An append whose answer was lost may stand in a log twice, and so may what an
 * owner published before it was taken over: whoever reads, counts each event once.
 *
 * @example
 * const repetitions = new Repetitions();
 * for await (const batch of log.read(["atlas.rewards"])) count += batch.filter((record) => repetitions.isNew(record)).length;
 */
export class Repetitions {
  readonly #last = new Map<string, number>();
  readonly #most: number;

  /** @param most how many sources are remembered, the first of which are forgotten; all of them unless told */
  constructor(most: number = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** The last sequence that was taken of a record's source; undefined before the first. */
  lastOf(record: LogRecord): number | undefined {
    return this.#last.get(sourceOf(record));
  }

  /** Says whether a record says something new, and takes it if so. */
  isNew(record: LogRecord): boolean {
    if (record.event.meta.sequence <= (this.lastOf(record) ?? -1)) return false;
    this.#last.set(sourceOf(record), record.event.meta.sequence);
    if (this.#last.size > this.#most) this.#last.delete(this.#last.keys().next().value!);
    return true;
  }
}
