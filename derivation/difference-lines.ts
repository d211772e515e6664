import { inOrder, SortedLines } from "../files/sorted-lines.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import { DERIVED_TOPICS, type Topic } from "../schemas/topics.ts";
import type { Difference } from "./compare-derived.ts";
import { eventIn, textOf } from "./event-text.ts";

/** Where a difference of a session stands in the order of the flow. */
export const placeOf = (topic: Topic, sessionId: Uuid, order: number | undefined): string =>
  `${DERIVED_TOPICS.indexOf(topic as (typeof DERIVED_TOPICS)[number])}\t${inOrder(order ?? Number.MAX_SAFE_INTEGER)}\t${JSON.stringify(sessionId)}`;

/** Differences in the order of the places that they are given, sorted outside of memory. */
export class DifferenceLines {
  readonly #lines = new SortedLines();

  add(place: string, { live, recomputed, ...words }: Difference): Promise<void> {
    return this.#lines.add(
      `${place}\t${JSON.stringify({ ...words, live: live.map(textOf), recomputed: recomputed.map(textOf) })}`,
    );
  }

  /** All of them, once. */
  async *all(): AsyncGenerator<[place: string, difference: Difference]> {
    for await (const line of this.#lines.lines()) {
      const at = line.lastIndexOf("\t");
      const read = JSON.parse(line.slice(at + 1)) as Omit<Difference, "live" | "recomputed"> &
        Record<"live" | "recomputed", string[]>;
      yield [
        line.slice(0, at),
        { ...read, live: read.live.map(eventIn), recomputed: read.recomputed.map(eventIn) },
      ];
    }
  }

  /** Without their places. */
  async *differences(): AsyncGenerator<Difference> {
    for await (const [, difference] of this.all()) yield difference;
  }

  close(): Promise<void> {
    return this.#lines.close();
  }
}
