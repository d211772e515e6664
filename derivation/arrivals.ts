import { inOrder, SortedLines } from "../files/sorted-lines.ts";
import type { LogRecord } from "../log/event-log.ts";
import { type Place, precedes } from "../processors/drift-cohort.ts";
import { NO_ORDER, type Order, takeInOrder } from "../processors/drift-order.ts";
import { revisionOf } from "../processors/fact-fields.ts";
import type { Micros, Uuid } from "../schemas/generated/events.ts";

/** A session that had its turn in drift after one of its learning key which completed later. */
export interface OutOfOrder {
  sessionId: Uuid;
  learningKey: string;
  completedAt: Micros;
}

/** A decision that reached the log after the reward of a session which completed after it was made. */
export interface LateDecision {
  sessionId: Uuid;
  learningKey: string;
  decidedAt: Micros;
}

/** A session whose review got its facts in another order than they happened in. */
export interface UnorderedReview {
  sessionId: Uuid;
  learningKey: string;
  what: string;
}

/** A rewarded session that drift has not taken, because the one that its import put before it has no reward. */
export interface WaitingSession {
  sessionId: Uuid;
  learningKey: string;
  /** The session that it waits for. */
  after: Uuid;
}

/** What reached a log in another order than it happened in, and may have been computed otherwise than in order. */
export interface Disorder {
  outOfOrder: OutOfOrder[];
  lateDecisions: LateDecision[];
  unorderedReviews: UnorderedReview[];
  waiting: WaitingSession[];
}

/** Events whose order is watched. */
export const ORDERED_TOPICS = ["atlas.rewards", "atlas.drift", "atlas.decisions"] as const;

/**
 * Watches in which order facts reached a log, and sessions had their turn in drift. Revisions say nothing about that:
 * they are left out. What is noted of sessions and decisions is sorted outside of memory.
 *
 * @example
 * const arrivals = new Arrivals(await setAsideBy(log, "drift"));
 * for await (const batch of log.read(TOPICS)) for (const record of batch) await arrivals.take(record);
 * (await arrivals.disorder()).outOfOrder;
 */
export class Arrivals {
  private readonly outOfOrder: OutOfOrder[] = [];
  private readonly latest = new Map<string, Place>();
  private readonly orders = new Map<string, Order>();
  /** By learning key, the latest first: who completed, and who decided, when, and when the log took that. */
  private readonly byKey = new SortedLines();
  /** By session, in the order in which they came. */
  private readonly bySession = new SortedLines();
  private taken = 0;

  private readonly isSetAside: (record: LogRecord) => boolean;

  /** @param isSetAside tells which records drift refused: they had no turn */
  constructor(isSetAside: (record: LogRecord) => boolean) {
    this.isSetAside = isSetAside;
  }

  /** Records of one topic come in the order of their partitions, each event once. */
  async take(record: LogRecord): Promise<void> {
    const { event, appendedAt } = record;
    if ((event.meta.derivation?.branch ?? null) !== null) return;
    if (event.type === "SessionRewarded") {
      if (this.isSetAside(record)) return;
      const key = event.learning_key;
      const { order, due } = takeInOrder(this.orders.get(key) ?? NO_ORDER, event);
      this.orders.set(key, order);
      for (const reward of due)
        if (revisionOf(reward) === 0) await this.completed(key, reward.completed_at, appendedAt);
      return;
    }
    if (revisionOf(event) > 0) return;
    const session = event.meta.session_id ?? "";
    if (event.type === "ReviewDecided") {
      const { learning_key: key, meta } = event;
      const said: Said = [key, session, meta.occurred_at, appendedAt, meta.event_id];
      await this.byKey.add(`${lineOf(key, meta.occurred_at, 1, appendedAt)}\t${JSON.stringify(said)}`);
      await this.note(session, said);
    } else if (event.type === "DriftAssessed") {
      const { learning_key: key, completed_at: completedAt } = event;
      this.turn(key, [completedAt, session]);
      await this.completed(key, completedAt, appendedAt);
      await this.note(session, [key, session, null, appendedAt, event.meta.event_id]);
    }
  }

  async disorder(): Promise<Disorder> {
    const lateDecisions = await this.lateDecisions();
    const unorderedReviews = await this.unorderedReviews();
    return { outOfOrder: this.outOfOrder, lateDecisions, unorderedReviews, waiting: this.waiting() };
  }

  /** Gives up what was noted. Does nothing where {@link disorder} was asked for. */
  async close(): Promise<void> {
    await this.byKey.close();
    await this.bySession.close();
  }

  private completed(key: string, completedAt: Micros, appendedAt: Micros): Promise<void> {
    return this.byKey.add(lineOf(key, completedAt, 0, appendedAt));
  }

  private note(session: string, said: Said): Promise<void> {
    this.taken += 1;
    return this.bySession.add(`${session}\t${inOrder(this.taken)}\t${JSON.stringify(said)}`);
  }

  private turn(key: string, place: Place): void {
    const latest = this.latest.get(key);
    if (latest !== undefined && precedes(place, latest))
      this.outOfOrder.push({ sessionId: place[1], learningKey: key, completedAt: place[0] });
    else this.latest.set(key, place);
  }

  private waiting(): WaitingSession[] {
    return [...this.orders].flatMap(([learningKey, order]) =>
      order.waiting.map(({ reward: { meta, after } }) => ({
        sessionId: meta.session_id ?? "",
        learningKey,
        after: after ?? "",
      })),
    );
  }

  /** A decision is late where the log had a session that completed when it was made, or later, before it had the decision. */
  private async lateDecisions(): Promise<LateDecision[]> {
    const late: LateDecision[] = [];
    let key = "";
    let first = "";
    for await (const line of this.byKey.lines()) {
      const [of, , isDecision, appendedAt, said] = line.split("\t") as [
        string,
        string,
        string,
        string,
        string,
      ];
      if (of !== key) [key, first] = [of, ""];
      if (isDecision === "0") first = first === "" || appendedAt < first ? appendedAt : first;
      else if (first !== "" && first < appendedAt) {
        const [learningKey, sessionId, decidedAt] = JSON.parse(said) as Said;
        late.push({ sessionId, learningKey, decidedAt: decidedAt! });
      }
    }
    return late.sort((a, b) => a.decidedAt - b.decidedAt);
  }

  private async unorderedReviews(): Promise<UnorderedReview[]> {
    const found: UnorderedReview[] = [];
    let group: Said[] = [];
    for await (const line of this.bySession.lines()) {
      const said = JSON.parse(line.slice(line.lastIndexOf("\t") + 1)) as Said;
      if (group[0]?.[1] !== said[1]) {
        for (const one of unorderedIn(group)) found.push(one);
        group = [];
      }
      group.push(said);
    }
    return [...found, ...unorderedIn(group)];
  }
}

/** Learning key, session, when it was decided (null for an assessment), when the log took it, and its id. */
type Said = [string, Uuid, Micros | null, Micros, Uuid];

/** Later times come first; of one time, who completed comes before who decided. */
const lineOf = (key: string, at: Micros, isDecision: 0 | 1, appendedAt: Micros): string =>
  `${JSON.stringify(key)}\t${inOrder(-at)}\t${isDecision}\t${inOrder(appendedAt)}`;

/** What is said of one session, in the order in which it came. */
function unorderedIn(said: readonly Said[]): UnorderedReview[] {
  const decisions = said.filter(([, , decidedAt]) => decidedAt !== null);
  const assessed = said.findLast(([, , decidedAt]) => decidedAt === null)?.[3];
  const [first] = decisions;
  if (first === undefined) return [];
  const [learningKey, sessionId] = first;
  const what: string[] = [];
  if (assessed !== undefined && decisions.some(([, , , appendedAt]) => appendedAt <= assessed))
    what.push("a person decided before it was assessed");
  if (decisions.some((one, index) => index > 0 && isBefore(one, decisions[index - 1]!)))
    what.push("decisions arrived in another order than they were made in");
  return what.map((words) => ({ sessionId, learningKey, what: words }));
}

const isBefore = ([, , a, , one]: Said, [, , b, , other]: Said): boolean => (a === b ? one < other : a! < b!);
