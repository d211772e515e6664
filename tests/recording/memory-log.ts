import { decodeEvent, encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, EventOf, EventType } from "../../schemas/generated/events.ts";
import { type Mask, type Masked, type Masking, maskingBy } from "../../schemas/masked.ts";

/** Stands for a log where only what reaches `append` matters: in order, and failing as often as it is told. */
export class MemoryLog {
  readonly mask: Masking;
  /** Every append that was answered, or whose answer was lost. */
  readonly batches: (readonly AtlasEvent[])[] = [];
  /** Called before an append; throws to make it fail. */
  before: (events: readonly AtlasEvent[]) => void | Promise<void> = () => {};
  /** Called after the events were taken; throws to lose the answer. */
  after: () => void = () => {};
  outstanding = 0;
  mostOutstanding = 0;

  constructor(mask?: Mask) {
    this.mask = maskingBy(mask);
  }

  async append(events: readonly Masked[]): Promise<void> {
    this.outstanding += 1;
    this.mostOutstanding = Math.max(this.mostOutstanding, this.outstanding);
    try {
      await this.before(events);
      this.batches.push([...events]);
      this.after();
    } finally {
      this.outstanding -= 1;
    }
  }

  /** What a reader sees of a session: decoded, in order, without repetitions. */
  session(sessionId: string): AtlasEvent[] {
    const seen: AtlasEvent[] = [];
    for (const event of this.batches.flat()) {
      if (event.meta.source === sessionId && event.meta.sequence > (seen.at(-1)?.meta.sequence ?? 0))
        seen.push(event);
    }
    return seen.map(encodeEvent).map(({ fingerprint, body }) => decodeEvent(fingerprint, body));
  }
}

/** The events of one type. */
export const only = <T extends EventType>(events: readonly AtlasEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);

/** The names of events, in order. */
export const names = (events: readonly AtlasEvent[]): EventType[] => events.map(({ type }) => type);
