import type { LogRecord } from "../log/event-log.ts";
import { type Place, precedes } from "../processors/drift-cohort.ts";
import { NO_ORDER, type Order, takeInOrder } from "../processors/drift-order.ts";
import { revisionOf } from "../processors/fact-fields.ts";
import type { Micros, SessionRewarded, Uuid } from "../schemas/generated/events.ts";

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

interface Reward {
  completedAt: Micros;
  appendedAt: Micros;
}

interface Decision extends LateDecision {
  id: Uuid;
  appendedAt: Micros;
}

/** Events whose order is watched. */
const ORDERED: ReadonlySet<string> = new Set(["SessionRewarded", "ReviewDecided", "DriftAssessed"]);

const into = <K, V>(map: Map<K, V[]>, key: K, value: V): void => {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
};

/**
 * Watches in which order facts reached a log, and sessions had their turn in drift. Revisions say nothing about that:
 * they are left out.
 *
 * @example
 * const arrivals = new Arrivals(await setAsideBy(log, "drift"));
 * for await (const batch of log.read(TOPICS)) batch.forEach((record) => arrivals.take(record));
 * arrivals.disorder().outOfOrder;
 */
export class Arrivals {
  private readonly outOfOrder: OutOfOrder[] = [];
  private readonly latest = new Map<string, Place>();
  private readonly orders = new Map<string, Order>();
  private readonly rewards = new Map<string, Reward[]>();
  private readonly decisions = new Map<Uuid, Decision[]>();
  private readonly assessed = new Map<Uuid, Micros>();

  private readonly isSetAside: (record: LogRecord) => boolean;

  /** @param isSetAside tells which records drift refused: they had no turn */
  constructor(isSetAside: (record: LogRecord) => boolean) {
    this.isSetAside = isSetAside;
  }

  /** Records of one topic come in the order of their partitions, each event once. */
  take(record: LogRecord): void {
    const { event, appendedAt } = record;
    const sessionId = event.meta.session_id ?? "";
    if (!ORDERED.has(event.type) || (event.meta.derivation?.branch ?? null) !== null) return;
    if (event.type === "SessionRewarded") {
      if (this.isSetAside(record)) return;
      const key = event.learning_key;
      const { order, due } = takeInOrder(this.orders.get(key) ?? NO_ORDER, event);
      this.orders.set(key, order);
      for (const reward of due) if (revisionOf(reward) === 0) this.turn(reward, appendedAt);
      return;
    }
    if (revisionOf(event) > 0) return;
    if (event.type === "ReviewDecided") {
      const { learning_key: learningKey, meta } = event;
      const decided = { sessionId, learningKey, decidedAt: meta.occurred_at, id: meta.event_id, appendedAt };
      into(this.decisions, sessionId, decided);
    } else if (event.type === "DriftAssessed") {
      this.assessed.set(sessionId, appendedAt);
    }
  }

  private turn({ meta, learning_key, completed_at }: SessionRewarded, appendedAt: Micros): void {
    const place: Place = [completed_at, meta.session_id ?? ""];
    const latest = this.latest.get(learning_key);
    if (latest !== undefined && precedes(place, latest))
      this.outOfOrder.push({ sessionId: place[1], learningKey: learning_key, completedAt: completed_at });
    else this.latest.set(learning_key, place);
    into(this.rewards, learning_key, { completedAt: completed_at, appendedAt });
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

  disorder(): Disorder {
    const lateDecisions: LateDecision[] = [];
    const unorderedReviews: UnorderedReview[] = [];
    const firstAfter = new Map([...this.rewards].map(([key, rewards]) => [key, earliestAppends(rewards)]));
    for (const [sessionId, decisions] of this.decisions) {
      const { learningKey } = decisions[0]!;
      for (const { decidedAt, appendedAt } of decisions)
        if ((firstAfter.get(learningKey)?.(decidedAt) ?? Number.POSITIVE_INFINITY) < appendedAt)
          lateDecisions.push({ sessionId, learningKey, decidedAt });
      const assessed = this.assessed.get(sessionId);
      if (assessed !== undefined && decisions.some(({ appendedAt }) => appendedAt <= assessed))
        unorderedReviews.push({ sessionId, learningKey, what: "a person decided before it was assessed" });
      if (decisions.some((one, index) => index > 0 && isBefore(one, decisions[index - 1]!)))
        unorderedReviews.push({
          sessionId,
          learningKey,
          what: "decisions arrived in another order than they were made in",
        });
    }
    return { outOfOrder: this.outOfOrder, lateDecisions, unorderedReviews, waiting: this.waiting() };
  }
}

const isBefore = (a: Decision, b: Decision): boolean =>
  a.decidedAt === b.decidedAt ? a.id < b.id : a.decidedAt < b.decidedAt;

/** Tells when the first reward of a session that completed at a time or later reached the log. */
function earliestAppends(rewards: Reward[]): (time: Micros) => Micros | undefined {
  const sorted = rewards.toSorted((a, b) => a.completedAt - b.completedAt);
  const earliest: Micros[] = [];
  for (let at = sorted.length - 1, least = Number.POSITIVE_INFINITY; at >= 0; at -= 1) {
    least = Math.min(least, sorted[at]!.appendedAt);
    earliest[at] = least;
  }
  return (time) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]!.completedAt < time) low = middle + 1;
      else high = middle;
    }
    return earliest[low];
  };
}
