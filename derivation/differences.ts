import type { EventLog } from "../log/event-log.ts";
import type { AtlasEvent, DriftAssessed, Micros, Uuid } from "../schemas/generated/events.ts";
import { PRIMARY_TOPICS, type Topic } from "../schemas/topics.ts";
import { ORDERED_TOPICS, type WaitingSession } from "./arrivals.ts";
import {
  byEarlierVersion,
  type Difference,
  differencesOf,
  isByPromotion,
  sameSession,
} from "./compare-derived.ts";
import { DifferenceLines, placeOf } from "./difference-lines.ts";
import { readDisorder } from "./read-disorder.ts";
import { type OnProgress, recompute } from "./recompute.ts";
import type { RulesStore } from "./rules.ts";
import { type SessionResult, SessionResults } from "./session-results.ts";

/** How to compare. */
export interface CompareOptions {
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /** Which ones nobody has to be asked about: they are counted, and not shown. */
  isOwed?: ((difference: Difference) => boolean) | undefined;
}

/** What differs, in files. */
export interface Differences extends AsyncIterable<Difference> {
  /** How many derived events were computed again. */
  computed: number;
  count: number;
  /** Of these, how many had to differ. */
  explained: number;
  /** Sessions of which something had not to differ, and of which something had to. */
  sessions: { differing: number; explained: number };
  /** How many would have to be published. */
  unsettled: number;
  /** The first ones that had not to differ, and the first ones that had to, in the order of the flow. */
  shown: readonly Difference[];
  /** Gives them up. Does nothing where all were taken, which can be done once. */
  close(): Promise<void>;
}

/** Which difference of a learning key others follow from. */
type Disturbed = Map<string, { at: Micros; why: string }>;

function note(disturbed: Disturbed, key: string, at: Micros, why: string): void {
  if (at < (disturbed.get(key)?.at ?? Number.POSITIVE_INFINITY)) disturbed.set(key, { at, why });
}

const waitsFor = ({ after }: WaitingSession): string => `it waits for session ${after}, which has no reward`;

/** Rewards that drift has not taken, because another session has none: a revision has its turn at once. */
const saidAgain = ({ sessionId, of }: SessionResult, { after }: WaitingSession): Difference => ({
  topic: "atlas.rewards",
  sessionId,
  live: [...(of.live.get("atlas.rewards") ?? [])],
  recomputed: [...(of.computed.get("atlas.rewards") ?? [])],
  what: `drift has not taken it: its import put it behind session ${after}`,
});

/** Why rewards differ, without regard to other sessions. */
function whyOf(difference: Difference, waiting: WaitingSession | undefined): string | undefined {
  if (isByPromotion(difference)) return "rules were promoted after it was judged";
  return waiting === undefined ? byEarlierVersion(difference) : waitsFor(waiting);
}

/** What follows for assessments of others of the learning key from a reward that differs. */
function noteReward(disturbed: Disturbed, difference: Difference, why: string): void {
  const [one] = difference.recomputed;
  if (one?.type !== "SessionRewarded") return;
  const said = `session ${difference.sessionId} of its learning key is rewarded otherwise: ${why}`;
  note(disturbed, one.learning_key, one.completed_at, said);
}

/** The differences of one session with their explanations, where they have one. */
function explained(
  differences: readonly Difference[],
  disturbed: Disturbed,
  waiting: WaitingSession | undefined,
): Difference[] {
  let because = waiting === undefined ? undefined : waitsFor(waiting);
  return differences.map((difference) => {
    if (difference.explained !== undefined) return difference;
    const { topic, live, recomputed } = difference;
    const [one] = recomputed;
    let why = because ?? byEarlierVersion(difference);
    if (live.length > 0 && one !== undefined && topic !== "atlas.review-status") {
      const cause = one.type === "DriftAssessed" ? disturbed.get(one.learning_key) : undefined;
      if (isByPromotion(difference)) why = "rules were promoted after it was judged";
      else if (cause !== undefined && sameSession(live, recomputed))
        why = (one as DriftAssessed).completed_at >= cause.at ? cause.why : why;
    }
    if (why === undefined) return difference;
    because = why;
    return { ...difference, explained: why };
  });
}

/**
 * Computes everything derived again and holds it against what the log has, session by session; what differs comes in the order of
 * the flow. What has to differ, because facts arrived in another order than they happened in or because rules were promoted since,
 * is explained. Memory does not grow with the number of sessions.
 *
 * @param log with a database
 */
export async function findDifferences(
  log: EventLog,
  rules: RulesStore,
  { onProgress, signal, isOwed }: CompareOptions = {},
): Promise<Differences> {
  const results = new SessionResults();
  const [bySession, inFlow] = [new DifferenceLines(), new DifferenceLines()];
  try {
    const until = await log.ends(PRIMARY_TOPICS);
    const add = (_: Topic, event: AtlasEvent): Promise<void> => results.add("computed", event);
    const computed = await recompute(log, rules, { until, onProgress, signal }, add);
    await results.readDerived(log, null);
    const disorder = await readDisorder(log, await log.ends(ORDERED_TOPICS));
    const waiting = new Map(disorder.waiting.map((one) => [one.sessionId, one]));
    const disturbed: Disturbed = new Map();
    for (const { learningKey, completedAt, sessionId } of disorder.outOfOrder)
      note(
        disturbed,
        learningKey,
        completedAt,
        `session ${sessionId} of its learning key was rewarded out of order`,
      );
    for (const { learningKey, decidedAt, sessionId } of disorder.lateDecisions)
      note(disturbed, learningKey, decidedAt, `a decision on session ${sessionId} arrived late`);
    for await (const result of results.sessions()) {
      signal?.throwIfAborted();
      const found = differencesOf(result.of.live, result.of.computed);
      const waits = waiting.get(result.sessionId);
      if (waits !== undefined && found.every(({ topic }) => topic !== "atlas.rewards"))
        found.unshift(saidAgain(result, waits));
      for (const difference of found) {
        const why = difference.topic === "atlas.rewards" ? whyOf(difference, waits) : undefined;
        if (why !== undefined) noteReward(disturbed, difference, why);
        const place = placeOf(difference.topic, result.sessionId, result.order.get(difference.topic));
        await bySession.add(`${JSON.stringify(result.sessionId)}\t${place}`, difference);
      }
    }
    return await explainAll({ computed, bySession, inFlow, disturbed, waiting, isOwed });
  } catch (error) {
    await inFlow.close();
    throw error;
  } finally {
    await results.close();
    await bySession.close();
  }
}

interface Explaining {
  computed: number;
  bySession: DifferenceLines;
  inFlow: DifferenceLines;
  disturbed: Disturbed;
  waiting: ReadonlyMap<Uuid, WaitingSession>;
  isOwed: CompareOptions["isOwed"];
}

/** Differences that are shown, of each kind. */
const SHOWN = 500;

/** The first of what comes in any order. */
class First {
  #kept: [place: string, difference: Difference][] = [];

  add(place: string, difference: Difference): void {
    this.#kept.push([place, difference]);
    if (this.#kept.length > 2 * SHOWN) this.#kept = this.all();
  }

  all(): [place: string, difference: Difference][] {
    return this.#kept.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, SHOWN);
  }
}

/** Explains differences once all that may disturb others is known, and puts them into the order of the flow. */
async function explainAll(explaining: Explaining): Promise<Differences> {
  const { computed, bySession, inFlow, disturbed, waiting, isOwed } = explaining;
  const counts = { count: 0, explained: 0, unsettled: 0, sessions: { differing: 0, explained: 0 } };
  const [firstExplained, firstOthers] = [new First(), new First()];
  let group: [string, Difference][] = [];
  const flush = async (): Promise<void> => {
    const [first] = group;
    if (first === undefined) return;
    const told = explained(
      group.map(([, difference]) => difference),
      disturbed,
      waiting.get(first[1].sessionId),
    );
    const isFault = ({ explained }: Difference): boolean => explained === undefined;
    counts.sessions.differing += Number(told.some(isFault));
    counts.sessions.explained += Number(!told.every(isFault));
    for (const [index, difference] of told.entries()) {
      const place = group[index]![0].slice(group[index]![0].indexOf("\t") + 1);
      const isExplained = difference.explained !== undefined;
      counts.count += 1;
      counts.explained += Number(isExplained);
      counts.unsettled += Number(difference.settled !== true);
      if (isOwed?.(difference) !== true) (isExplained ? firstExplained : firstOthers).add(place, difference);
      await inFlow.add(place, difference);
    }
    group = [];
  };
  for await (const [place, difference] of bySession.all()) {
    if (group[0] !== undefined && group[0][1].sessionId !== difference.sessionId) await flush();
    group.push([place, difference]);
  }
  await flush();
  return {
    computed,
    ...counts,
    shown: [...firstOthers.all(), ...firstExplained.all()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, difference]) => difference),
    [Symbol.asyncIterator]: () => inFlow.differences(),
    close: () => inFlow.close(),
  };
}
