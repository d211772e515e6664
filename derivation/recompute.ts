import type { EventLog } from "../log/event-log.ts";
import { Repetitions } from "../log/runner/repetitions.ts";
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

/** Runs a processor over facts in the order given, with state of its own for each key. */
class Replay {
  readonly emitted: AtlasEvent[] = [];
  private readonly processor: Processor;
  private readonly rules: RulesStore;
  private readonly states = new Map<string, KeyState | undefined>();

  constructor(processor: Processor, rules: RulesStore) {
    this.processor = processor;
    this.rules = rules;
  }

  apply(event: AtlasEvent): void {
    if (!this.processor.facts.includes(event.type)) return;
    const key = this.processor.key(event);
    const { keyState, events } = applyFacts(this.processor, this.states.get(key), [event], this.rules.lookup);
    this.states.set(key, keyState);
    for (const event of events) this.emitted.push(event);
  }
}

const text = (a: string | null | undefined, b: string | null | undefined): number =>
  (a ?? "") < (b ?? "") ? -1 : (a ?? "") > (b ?? "") ? 1 : 0;

/** Sessions of one key are compared in the order in which they completed. */
const byCompletion = (a: SessionRewarded, b: SessionRewarded): number =>
  text(a.learning_key, b.learning_key) ||
  a.completed_at - b.completed_at ||
  text(a.meta.session_id, b.meta.session_id);

const byTime = (a: AtlasEvent, b: AtlasEvent): number =>
  a.meta.occurred_at - b.meta.occurred_at || text(a.meta.event_id, b.meta.event_id);

/**
 * The facts of drift in the order in which it is to be computed: sessions as they completed, and decisions before the
 * sessions that completed after them, learning key by learning key. Which session an import put before another says
 * nothing any longer: nothing waits.
 */
export function* inCompletionOrder(
  rewards: readonly SessionRewarded[],
  decisions: readonly ReviewDecided[],
): Iterable<SessionRewarded | ReviewDecided> {
  const waiting = new Map<string, ReviewDecided[]>();
  for (const decision of [...decisions].sort(byTime)) {
    const others = waiting.get(decision.learning_key);
    if (others === undefined) waiting.set(decision.learning_key, [decision]);
    else others.push(decision);
  }
  for (const reward of [...rewards].sort(byCompletion)) {
    const own = waiting.get(reward.learning_key) ?? [];
    while (own[0] !== undefined && own[0].meta.occurred_at <= reward.completed_at) yield own.shift()!;
    yield { ...reward, after: null };
  }
  for (const rest of waiting.values()) yield* rest;
}

/** Derived events by topic, as computed from the primary ones. */
export type Derived = ReadonlyMap<Topic, readonly AtlasEvent[]>;

/**
 * Computes every derived event again from the primary topics, in canonical order: the same events each time and
 * anywhere, whatever order they were processed in when they happened.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID where the log has no such rules
 */
export async function recompute(
  log: EventLog,
  rules: RulesStore,
  { until, rulesHash, onProgress, onSessionEvent, signal }: RecomputeOptions,
): Promise<Derived> {
  let count = 0;
  async function* primary(topic: Topic): AsyncIterable<AtlasEvent> {
    for (const [partition, end] of (until.get(topic) ?? []).entries()) {
      const repetitions = new Repetitions();
      for await (const batch of log.read([topic], { partition, untilOffset: end })) {
        signal?.throwIfAborted();
        await rules.load(batch);
        for (const record of batch) if (repetitions.isNew(record)) yield record.event;
        count += batch.length;
        onProgress?.(count);
      }
    }
  }

  /** Asked once for each hash: a promotion that comes meanwhile must not hold for a part of the sessions. */
  const hashes = new Map<string, string>();
  const rulesFor = async (named: string): Promise<string> => {
    const known = rulesHash ?? hashes.get(named) ?? (await rules.inForce(named));
    hashes.set(named, known);
    return known;
  };

  const rewards = new Replay(sessionRewards, rules);
  for await (const event of primary("atlas.sessions")) {
    onSessionEvent?.(event);
    if (event.type === "SessionJudged")
      rewards.apply({ ...event, rules_hash: await rulesFor(event.rules_hash) });
    else rewards.apply(event);
  }

  const decisions: ReviewDecided[] = [];
  for await (const event of primary("atlas.decisions"))
    if (event.type === "ReviewDecided") decisions.push(event);

  const drifts = new Replay(drift, rules);
  for (const fact of inCompletionOrder(rewards.emitted as SessionRewarded[], decisions)) drifts.apply(fact);

  const reviews = new Replay(review, rules);
  const facts = [...(drifts.emitted as DriftAssessed[]), ...decisions];
  for (const fact of facts.sort(byTime)) reviews.apply(fact);

  return new Map<Topic, AtlasEvent[]>([
    ["atlas.rewards", rewards.emitted],
    ["atlas.drift", drifts.emitted],
    ["atlas.review-status", reviews.emitted],
  ]);
}
