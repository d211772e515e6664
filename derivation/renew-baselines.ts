import { type Queryable, UNHURRIED } from "../database/database.ts";
import { SortedLines } from "../files/sorted-lines.ts";
import type { EventLog, LogRecord } from "../log/event-log.ts";
import { loadCheckpoints, lockAssignments } from "../log/runner/assignment-store.ts";
import { Repetitions } from "../log/runner/repetitions.ts";
import { groupOfVersion } from "../log/runner/versions.ts";
import { drift } from "../processors/drift.ts";
import { NO_ORDER, type Order, takeInOrder } from "../processors/drift-order.ts";
import { revisionOf } from "../processors/fact-fields.ts";
import { applyFacts, type KeyState } from "../processors/run-processor.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import type { Topic } from "../schemas/topics.ts";
import { eventIn } from "./event-text.ts";
import { type KeyStates, replaceStates } from "./processor-state.ts";
import { byCompletion, type OnProgress } from "./recompute.ts";
import type { RulesStore } from "./rules.ts";
import { setAsideBy } from "./set-aside.ts";

/** Sources that are remembered to know again what they say twice. */
const NEAR = 10_000;

/** How to renew. */
export interface RenewOptions {
  /** Called while the log is read, with the number of events so far. */
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

type Offsets = ReadonlyMap<Topic, number>;

/** The facts that one assignment has applied, and the state that this version comes to by them. */
class Renewal {
  private readonly log: EventLog;
  private readonly rules: RulesStore;
  private readonly partition: number;
  private readonly isSetAside: (record: LogRecord) => boolean;
  /** What was appended twice stands close together; what does not, changes nothing but the order of an import. */
  private readonly repetitions = new Repetitions(NEAR);
  /** What it has seen: it is applied in another order than it arrived in. */
  private readonly facts = new SortedLines();
  private readonly orders = new Map<string, Order>();
  private readTo: Offsets = new Map();

  constructor(
    { log, rules, isSetAside }: { log: EventLog; rules: RulesStore; isSetAside: (r: LogRecord) => boolean },
    partition: number,
  ) {
    this.log = log;
    this.rules = rules;
    this.isSetAside = isSetAside;
    this.partition = partition;
  }

  /** The states, once. */
  async states(): Promise<KeyStates> {
    const states = new Map<string, KeyState | undefined>();
    const waiting = [...this.orders.values()].flatMap((order) => order.waiting.map(({ reward }) => reward));
    const notYet = new Set(waiting.map(({ meta }) => meta.session_id));
    for await (const fact of this.inCompletionOrder())
      if (fact.type !== "SessionRewarded") this.apply(fact, states);
      else if (!notYet.has(fact.meta.session_id)) this.apply({ ...fact, after: null }, states);
    for (const fact of waiting) this.apply(fact, states);
    return states;
  }

  close(): Promise<void> {
    return this.facts.close();
  }

  /** Of the rewards of a session the last revision, and what the log has twice once. */
  private async *inCompletionOrder(): AsyncGenerator<AtlasEvent> {
    let [place, last]: [string, AtlasEvent | undefined] = ["", undefined];
    for await (const line of this.facts.lines()) {
      const end = line.lastIndexOf("\t");
      const event = eventIn(line.slice(end + 1));
      const isSame = last !== undefined && line.slice(0, end) === place;
      if (!isSame && last !== undefined) yield last;
      if (!isSame || revisionOf(last!) < revisionOf(event)) [place, last] = [line.slice(0, end), event];
    }
    if (last !== undefined) yield last;
  }

  /** Whether these are the offsets up to which the facts count. */
  isAt(offsets: Offsets): boolean {
    return drift.inputs.every((topic) => (offsets.get(topic) ?? 0) === (this.readTo.get(topic) ?? 0));
  }

  async readOn(
    until: Offsets,
    { onProgress, signal }: RenewOptions,
    count: { events: number },
  ): Promise<void> {
    for await (const record of this.arrivals(until)) {
      signal?.throwIfAborted();
      count.events += 1;
      if (count.events % 500 === 0) onProgress?.(count.events);
      if (this.isSetAside(record) || !this.repetitions.isNew(record)) continue;
      await this.take(record.event);
    }
    this.readTo = until;
  }

  private async take(event: AtlasEvent): Promise<void> {
    if (event.type === "SessionRewarded") {
      const { order } = takeInOrder(this.orders.get(event.learning_key) ?? NO_ORDER, event);
      this.orders.set(event.learning_key, order);
    }
    if (event.type === "SessionRewarded" || event.type === "ReviewDecided")
      await this.facts.add(byCompletion(event));
  }

  private apply(fact: AtlasEvent, states: Map<string, KeyState | undefined>): void {
    const key = drift.key(fact);
    const { keyState } = applyFacts(drift, states.get(key), [fact], this.rules.lookup);
    states.set(key, keyState);
  }

  /** Facts of several topics in the order in which the log took them. */
  private async *arrivals(until: Offsets): AsyncIterable<LogRecord> {
    const waiting: { next: LogRecord; rest: AsyncIterator<LogRecord> }[] = [];
    const advance = async (rest: AsyncIterator<LogRecord>): Promise<void> => {
      const { value, done } = await rest.next();
      if (done !== true) waiting.push({ next: value, rest });
    };
    for (const topic of drift.inputs) await advance(this.recordsOf(topic, until));
    for (;;) {
      waiting.sort((a, b) => a.next.appendedAt - b.next.appendedAt);
      const first = waiting.shift();
      if (first === undefined) return;
      yield first.next;
      await advance(first.rest);
    }
  }

  private async *recordsOf(topic: Topic, until: Offsets): AsyncGenerator<LogRecord> {
    const fromOffset = this.readTo.get(topic) ?? 0;
    const untilOffset = until.get(topic) ?? 0;
    if (fromOffset >= untilOffset) return;
    const { partition } = this;
    for await (const batch of this.log.read([topic], { partition, fromOffset, untilOffset })) {
      await this.rules.load(batch);
      yield* batch;
    }
  }
}

/**
 * Computes the state of drift anew in the order in which sessions completed, with their last rewards, each partition in one
 * transaction: what comes next is then held against what a rebuild says of them, and not against what was said when they
 * arrived.
 *
 * @param log with a database
 */
export async function renewBaselines(
  log: EventLog,
  rules: RulesStore,
  options: RenewOptions = {},
): Promise<void> {
  const db = log.db!;
  const group = groupOfVersion(drift);
  const isSetAside = await setAsideBy(log, group);
  const count = { events: 0 };
  for (let partition = 0; partition < log.partitions; partition += 1) {
    const key = { group, partition };
    const renewal = new Renewal({ log, rules, isSetAside }, partition);
    const offsets = async (tx: Queryable): Promise<Offsets> =>
      new Map([...(await loadCheckpoints(tx, key))].map(([topic, { nextOffset }]) => [topic, nextOffset]));
    const renew = async (tx: Queryable): Promise<boolean> => {
      // Units of work lock it too: nothing is applied between the look at the checkpoints and the new state.
      await lockAssignments(tx, group, partition);
      if (!renewal.isAt(await offsets(tx))) return false;
      await replaceStates(tx, key, drift.version, await renewal.states());
      return true;
    };
    try {
      for (let done = false; !done; ) {
        await renewal.readOn(await offsets(db), options, count);
        done = await db.transaction(renew, UNHURRIED);
      }
    } finally {
      await renewal.close();
    }
  }
}
