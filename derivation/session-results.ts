import { inOrder, SortedLines } from "../files/sorted-lines.ts";
import type { EventLog } from "../log/event-log.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { BRANCHES, DERIVED_TOPICS, type Topic, topicOf } from "../schemas/topics.ts";
import { eventIn, textOf } from "./event-text.ts";
import type { Derived } from "./recompute.ts";

/** What is held together of a session: what a log, or a branch of it, says, and what was computed. */
export type Side = "live" | "branch" | "computed";

/** All that was noted of one session. */
export interface SessionResult {
  sessionId: Uuid;
  of: Readonly<Record<Side, Derived>>;
  /** Where its computed events stand among all, by topic. */
  order: ReadonlyMap<Topic, number>;
  /** Words that were noted of it. */
  words: ReadonlySet<string>;
}

const SIDES: readonly Side[] = ["live", "branch", "computed"];
const WORD = "word";
const derived: ReadonlySet<Topic> = new Set(DERIVED_TOPICS);
const isDerived = ({ type }: AtlasEvent): boolean => derived.has(topicOf(type));

/** Brings together what belongs to one session, however it comes: sorted outside of memory. */
export class SessionResults {
  private readonly lines = new SortedLines();
  private count = 0;

  /** Notes a derived event. Those of a side come in their order. */
  add(side: Side, event: AtlasEvent): Promise<void> {
    return this.note(event.meta.session_id ?? "", side, textOf(event));
  }

  /** Notes a word of a session. */
  say(session: Uuid, word: string): Promise<void> {
    return this.note(session, WORD, word);
  }

  /** Notes the derived events of the live topics, or of a branch. */
  async readDerived(log: EventLog, branch: string | null): Promise<void> {
    for await (const batch of log.read(branch === null ? DERIVED_TOPICS : [BRANCHES]))
      for (const { event } of batch)
        if ((event.meta.derivation?.branch ?? null) === branch && isDerived(event))
          await this.add(branch === null ? "live" : "branch", event);
  }

  /** Session by session, once; then nothing is left. */
  async *sessions(): AsyncGenerator<SessionResult> {
    let name: string | undefined;
    let lines: [string, number, string][] = [];
    for await (const line of this.lines.lines()) {
      const [session, side, at, text] = line.split("\t") as [string, string, string, string];
      if (session !== name) {
        if (name !== undefined) yield resultOf(name, lines);
        [name, lines] = [session, []];
      }
      lines.push([side, Number(BigInt(`0x${at}`) - 2n ** 63n), text]);
    }
    if (name !== undefined) yield resultOf(name, lines);
  }

  close(): Promise<void> {
    return this.lines.close();
  }

  private note(session: string, side: string, text: string): Promise<void> {
    this.count += 1;
    return this.lines.add(`${JSON.stringify(session)}\t${side}\t${inOrder(this.count)}\t${text}`);
  }
}

function resultOf(name: string, lines: readonly [string, number, string][]): SessionResult {
  const of = Object.fromEntries(SIDES.map((side) => [side, new Map<Topic, AtlasEvent[]>()])) as Record<
    Side,
    Map<Topic, AtlasEvent[]>
  >;
  const order = new Map<Topic, number>();
  const words = new Set<string>();
  for (const [side, at, text] of lines) {
    if (side === WORD) {
      words.add(text);
      continue;
    }
    const event = eventIn(text);
    const topic = topicOf(event.type);
    const events = of[side as Side].get(topic);
    if (events === undefined) of[side as Side].set(topic, [event]);
    else events.push(event);
    if (side === "computed" && !order.has(topic)) order.set(topic, at);
  }
  return { sessionId: JSON.parse(name) as Uuid, of, order, words };
}
