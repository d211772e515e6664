import { inOrder, SortedLines } from "../files/sorted-lines.ts";
import type { LogRecord } from "../log/event-log.ts";
import type { Uuid } from "../schemas/generated/events.ts";

/** Records that stand one behind the other, and go on with one source. */
interface Stretch {
  source: string;
  /** Whether it is a session's own source. */
  isOwn: boolean;
  offset: number;
  first: number;
  last: number;
}

/** What was found of one partition. */
export interface Found {
  /** Sessions whose own sources left something out, and how much. */
  missing(session: Uuid, count: number): void;
  /** Where a source says what it has said before. */
  repeated(offset: number): void;
}

/**
 * Finds what sources have said again in one partition of a topic, and what they left out, in bounded memory: the sequences of each
 * source are sorted outside of it.
 */
export class SaidAgain {
  private readonly lines = new SortedLines();
  private stretch: Stretch | undefined;

  /** Records come in their order. */
  async take({ offset, event: { meta } }: LogRecord): Promise<void> {
    const { source, sequence, session_id } = meta;
    const stretch = this.stretch;
    if (
      stretch !== undefined &&
      stretch.source === source &&
      sequence === stretch.last + 1 &&
      offset === stretch.offset + sequence - stretch.first
    ) {
      stretch.last = sequence;
      return;
    }
    await this.write();
    this.stretch = { source, isOwn: source === session_id, offset, first: sequence, last: sequence };
  }

  /** Tells what was found; then nothing is left of it. */
  async end(found: Found): Promise<void> {
    await this.write();
    let [name, last, missing] = ["", -1, 0];
    const tell = (): void => {
      if (missing > 0) found.missing(JSON.parse(name) as Uuid, missing);
    };
    for await (const line of this.lines.lines()) {
      const [source, , rest] = line.split("\t") as [string, string, string];
      if (source !== name) {
        tell();
        [name, last, missing] = [source, -1, 0];
      }
      const [offset, first, until, isOwn] = JSON.parse(rest) as [number, number, number, boolean];
      for (let sequence = first; sequence <= Math.min(last, until); sequence += 1)
        found.repeated(offset + sequence - first);
      const next = Math.max(0, last) + 1;
      if (isOwn && first > next) missing += first - next;
      last = Math.max(last, until);
    }
    tell();
  }

  /** Gives up what was taken. Does nothing where {@link end} was asked for. */
  close(): Promise<void> {
    return this.lines.close();
  }

  private async write(): Promise<void> {
    if (this.stretch === undefined) return;
    const { source, isOwn, offset, first, last } = this.stretch;
    this.stretch = undefined;
    const rest = JSON.stringify([offset, first, last, isOwn]);
    await this.lines.add(`${JSON.stringify(source)}\t${inOrder(offset)}\t${rest}`);
  }
}
