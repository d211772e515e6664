import { inOrder, SortedLines } from "../files/sorted-lines.ts";
import type { EventLog, LogRecord } from "../log/event-log.ts";
import { drift } from "../processors/drift.ts";
import type { Processor } from "../processors/processor.ts";
import { review } from "../processors/review.ts";
import { applyFacts, type KeyState } from "../processors/run-processor.ts";
import { sessionRewards } from "../processors/session-rewards.ts";
import type {
  AtlasEvent,
  DriftAssessed,
  ReviewDecided,
  SessionRewarded,
} from "../schemas/generated/events.ts";
import type { Topic } from "../schemas/topics.ts";
import { eventIn, textOf } from "./event-text.ts";
import { computeAgain } from "./rebuild/computed-again.ts";
import type { RulesStore } from "./rules.ts";

/** Called while the log is read, with the number of events so far. */
export type OnProgress = (events: number) => void;

/** What to compute from, and by which rules. */
export interface RecomputeOptions {
  /** Next offsets up to which the log counts. */
  until: ReadonlyMap<Topic, readonly number[]>;
  /** Hash of the rules for every session; those in force in place of the ones that it names, unless told. */
  rulesHash?: string | undefined;
  onProgress?: OnProgress | undefined;
  /** Called with each event that happened in a session. */
  onSessionEvent?: ((event: AtlasEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Derived events by topic, as computed from the primary ones. */
export type Derived = ReadonlyMap<Topic, readonly AtlasEvent[]>;

/** Is given what was computed, topic by topic in the order of the flow. */
export type TakeComputed = (topic: Topic, event: AtlasEvent) => Promise<void>;

/** Runs a processor over facts that come key by key: only the state of one key is kept. */
class Replay {
  private readonly processor: Processor;
  private readonly rules: RulesStore;
  private key: string | undefined;
  private state: KeyState | undefined;

  constructor(processor: Processor, rules: RulesStore) {
    this.processor = processor;
    this.rules = rules;
  }

  apply(fact: AtlasEvent): AtlasEvent[] {
    const key = this.processor.key(fact);
    if (key !== this.key) [this.key, this.state] = [key, undefined];
    const { keyState, events } = applyFacts(this.processor, this.state, [fact], this.rules.lookup);
    this.state = keyState;
    return events;
  }
}

/** A decision counts for sessions that completed when it was made, or later: it comes before them. */
const DECISION = 0;
const REWARD = 1;

/** Facts of drift learning key by learning key, sessions as they completed: the lines of one session differ at their end. */
export function byCompletion(fact: SessionRewarded | ReviewDecided): string {
  const { meta, learning_key: key } = fact;
  const place =
    fact.type === "SessionRewarded"
      ? `${inOrder(fact.completed_at)}\t${REWARD}\t${meta.session_id}`
      : `${inOrder(meta.occurred_at)}\t${DECISION}\t${meta.event_id}`;
  return `${JSON.stringify(key)}\t${place}\t${textOf(fact)}`;
}

/** Facts of review session by session, in the order in which they happened. */
const byTime = (fact: DriftAssessed | ReviewDecided): string =>
  `${JSON.stringify(fact.meta.session_id ?? "")}\t${inOrder(fact.meta.occurred_at)}\t${fact.meta.event_id}\t${textOf(fact)}`;

/** The events of sorted lines; what the log has twice comes once. */
async function* eventsOf(lines: SortedLines): AsyncGenerator<AtlasEvent> {
  let before = "";
  for await (const line of lines.lines()) {
    if (line === before) continue;
    before = line;
    yield eventIn(line.slice(line.lastIndexOf("\t") + 1));
  }
}

/**
 * Computes every derived event again from the primary topics, in canonical order: the same events each time and
 * anywhere, whatever order they were processed in when they happened. Which session an import put before another says
 * nothing any longer: nothing waits. What is computed from is sorted outside of memory, whose use does not grow with the log.
 *
 * @param log with a database
 * @returns how many events were computed
 * @throws AtlasError ATLAS_EVENT_INVALID where the log has no such rules
 */
export async function recompute(
  log: EventLog,
  rules: RulesStore,
  options: RecomputeOptions,
  take: TakeComputed,
): Promise<number> {
  const [ofDrift, ofReview] = [new SortedLines(), new SortedLines()];
  let computed = 0;
  const give = async (topic: Topic, event: AtlasEvent): Promise<void> => {
    computed += 1;
    await take(topic, event);
  };
  try {
    await readFacts(log, rules, options, { ofDrift, ofReview });
    const drifts = new Replay(drift, rules);
    for await (const fact of eventsOf(ofDrift)) {
      if (fact.type === "SessionRewarded") await give("atlas.rewards", fact);
      const inTurn = fact.type === "SessionRewarded" ? { ...fact, after: null } : fact;
      for (const event of drifts.apply(inTurn)) {
        await ofReview.add(byTime(event as DriftAssessed));
        await give("atlas.drift", event);
      }
    }
    const reviews = new Replay(review, rules);
    for await (const fact of eventsOf(ofReview))
      for (const event of reviews.apply(fact)) await give("atlas.review-status", event);
    return computed;
  } finally {
    await ofDrift.close();
    await ofReview.close();
  }
}

/** Computes rewards, and reads decisions. */
async function readFacts(
  log: EventLog,
  rules: RulesStore,
  { until, rulesHash, onProgress, onSessionEvent, signal }: RecomputeOptions,
  { ofDrift, ofReview }: { ofDrift: SortedLines; ofReview: SortedLines },
): Promise<void> {
  let count = 0;
  const onRead = (events: number): void => {
    count += events;
    onProgress?.(count);
  };
  /** Asked once for each hash: a promotion that comes meanwhile must not hold for a part of the sessions. */
  const hashes = new Map<string, string>();
  const rulesFor = async (named: string): Promise<string> => {
    const known = rulesHash ?? hashes.get(named) ?? (await rules.inForce(named));
    hashes.set(named, known);
    return known;
  };
  const change = async (batch: readonly LogRecord[]): Promise<LogRecord[]> => {
    const changed: LogRecord[] = [];
    for (const record of batch) {
      const { event } = record;
      onSessionEvent?.(event);
      if (event.type !== "SessionJudged") changed.push(record);
      else changed.push({ ...record, event: { ...event, rules_hash: await rulesFor(event.rules_hash) } });
    }
    return changed;
  };
  const computing = { processor: sessionRewards, until, change, isSetAside: () => false, onRead, signal };
  await computeAgain(log, rules, computing, async (events) => {
    for (const event of events as readonly SessionRewarded[]) await ofDrift.add(byCompletion(event));
  });
  for (const [partition, untilOffset] of (until.get("atlas.decisions") ?? []).entries()) {
    for await (const batch of log.read(["atlas.decisions"], { partition, untilOffset })) {
      signal?.throwIfAborted();
      await rules.load(batch);
      for (const { event } of batch) {
        if (event.type !== "ReviewDecided") continue;
        await ofDrift.add(byCompletion(event));
        await ofReview.add(byTime(event));
      }
      onRead(batch.length);
    }
  }
}
