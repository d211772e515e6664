import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drift } from "../../processors/drift.ts";
import type { Processor } from "../../processors/processor.ts";
import { review } from "../../processors/review.ts";
import { applyFacts, type KeyState } from "../../processors/run-processor.ts";
import { sessionRewards } from "../../processors/session-rewards.ts";
import type { AtlasEvent, DriftAssessed } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES, type Rules } from "../../schemas/rules.ts";
import { emptyTrace, foldEvent } from "../../traces/fold.ts";
import { at, fact, judgedSession, rulesOf } from "./facts.ts";

const RUNS = process.env.ATLAS_RECORDED_RUNS;

/** Rewards of real runs where they are at hand, else passes and fails in a fixed order. */
function groundTruth(): number[] {
  if (RUNS === undefined) return Array.from({ length: 100 }, (_, index) => ((index * 37) % 100 < 45 ? 1 : 0));
  const lines = readFileSync(join(RUNS, "airline.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => (JSON.parse(line) as { reward: number }).reward);
}

const SESSIONS = 120;
/** The session from which on nothing succeeds any more. */
const COLLAPSE = 90;
const RULES: Rules = {
  ...DEFAULT_RULES,
  review: { auto_approve: { min_reward: 0.4, max_uncertainty: null }, quarantine_on_alert: "decline" },
};

/** Means of five recorded rewards among judgements that vary less, with a slope, a spike and a collapse planted in them. */
function planted(): number[] {
  const truth = groundTruth();
  return Array.from({ length: SESSIONS }, (_, session) => {
    const five = [0, 1, 2, 3, 4].map(
      (run) => truth[(3 * session * session + run * run * session + run * 7) % truth.length]!,
    );
    const score = 0.7 + five.reduce((sum, reward) => sum + reward, 0) / 25;
    if (session === 30) return 0;
    if (session >= COLLAPSE) return 0;
    return session >= 45 && session < 60 ? score * (1 - (session - 45) / 20) : score;
  });
}

const name = (index: number): string => `planted ${index}`;
const SESSION_FACTS: AtlasEvent[][] = planted().map((score, index) =>
  judgedSession(name(index), [{ score }], { endedAt: at(100 * (index + 1)) }),
);
const DECISIONS: AtlasEvent[] = [3, 31, 71, 71, 80].map((session, index) =>
  fact(
    "ReviewDecided",
    name(session),
    `decision ${index}`,
    { learning_key: "counting", decision: index % 2 === 0 ? "approved" : "quarantined", author: `a${index}` },
    { occurred_at: at(100_000 + index), source: `review/${index}` },
  ),
);

/** One process of a group, as the runner has it: state as JSON between units, repeated records dropped. */
class Worker {
  readonly emitted = new Map<string, AtlasEvent>();
  private readonly states = new Map<string, string>();
  private readonly seen = new Set<string>();
  private readonly processor: Processor;

  constructor(processor: Processor) {
    this.processor = processor;
  }

  /** @param killed a unit that ends before it commits leaves nothing behind, and comes again */
  unit(facts: readonly AtlasEvent[], killed: boolean): void {
    const first = new Map(facts.map((each) => [each.meta.event_id, each]));
    const fresh = [...first.values()].filter(({ meta }) => !this.seen.has(meta.event_id));
    const wanted = fresh.filter(({ type }) => this.processor.facts.includes(type));
    const states = new Map(this.states);
    const events: AtlasEvent[] = [];
    for (const each of wanted) {
      const key = this.processor.key(each);
      const text = states.get(key);
      const saved = text === undefined ? undefined : (JSON.parse(text) as KeyState);
      const applied = applyFacts(this.processor, saved, [each], rulesOf(RULES));
      if (applied.keyState === undefined) states.delete(key);
      else states.set(key, JSON.stringify(applied.keyState));
      for (const event of applied.events) events.push(event);
    }
    if (killed) return;
    for (const { meta } of fresh) this.seen.add(meta.event_id);
    for (const [key, state] of states) this.states.set(key, state);
    for (const key of this.states.keys()) if (!states.has(key)) this.states.delete(key);
    for (const event of events) this.emitted.set(event.meta.event_id, event);
  }
}

interface Disturbance {
  /** Most facts of a unit. */
  batch: number;
  /** Repeats every so many facts. */
  repeat: number;
  /** Kills the process in every so many units. */
  kill: number;
  workers: number;
  /** Sorts the sessions: the order in which their judgements arrive. */
  order: readonly number[];
  decisionsFirst: boolean;
}

const AS_IT_HAPPENED: Disturbance = {
  batch: 10_000,
  repeat: 0,
  kill: 0,
  workers: 1,
  order: SESSION_FACTS.map((_, index) => index),
  decisionsFirst: false,
};

function run(
  processor: Processor,
  facts: readonly AtlasEvent[],
  { batch, repeat, kill, workers }: Disturbance,
): AtlasEvent[] {
  const groups = Array.from({ length: workers }, () => [] as AtlasEvent[]);
  const place = new Map<string, number>();
  for (const each of facts) {
    if (!processor.facts.includes(each.type)) continue;
    const key = processor.key(each);
    if (!place.has(key)) place.set(key, place.size % workers);
    groups[place.get(key)!]!.push(each);
  }
  return groups.flatMap((own) => {
    const worker = new Worker(processor);
    const repeated = own.flatMap((each, index) =>
      repeat > 0 && index % repeat === 0 ? [each, each] : [each],
    );
    let units = 0;
    for (let from = 0; from < repeated.length; from += batch) {
      const unit = repeated.slice(from, from + batch);
      units += 1;
      if (kill > 0 && units % kill === 0) worker.unit(unit, true);
      worker.unit(unit, false);
    }
    return [...worker.emitted.values()];
  });
}

function pipeline(disturbance: Disturbance): {
  rewards: AtlasEvent[];
  drifts: AtlasEvent[];
  reviews: AtlasEvent[];
} {
  const facts = disturbance.order.flatMap((session) => SESSION_FACTS[session]!);
  const rewards = run(sessionRewards, facts, disturbance);
  const byCompletion = rewards.sort(
    (a, b) => disturbance.order.indexOf(indexOf(a)) - disturbance.order.indexOf(indexOf(b)),
  );
  const words = [...DECISIONS];
  const drifts = run(drift, byCompletion, disturbance);
  const said = disturbance.decisionsFirst ? [...words.reverse(), ...drifts] : [...drifts, ...words];
  return { rewards, drifts, reviews: run(review, said, disturbance) };
}

const ids = new Map(SESSION_FACTS.map(([started], index) => [started!.meta.session_id, index]));
const indexOf = ({ meta }: AtlasEvent): number => ids.get(meta.session_id)!;

const sorted = (events: readonly AtlasEvent[]): AtlasEvent[] =>
  events.toSorted((a, b) => (a.meta.event_id < b.meta.event_id ? -1 : 1));

/** Of every session: what stands, who said so, and because of which event. */
const standing = (reviews: readonly AtlasEvent[]): Record<number, unknown> => {
  const traces = new Map(
    SESSION_FACTS.map(([one]) => [one!.meta.session_id, emptyTrace(one!.meta.session_id!)]),
  );
  for (const event of reviews) foldEvent(traces.get(event.meta.session_id)!, event);
  return Object.fromEntries(
    [...traces.values()].map(({ session_id, review_status, review_changes }) => {
      const last = review_changes.at(-1);
      return [ids.get(session_id)!, [review_status, last?.because, last?.author, last?.meta.causation_id]];
    }),
  );
};

const EXPECTED = pipeline(AS_IT_HAPPENED);

describe("recorded rewards with a slope, a spike and a collapse planted in them", () => {
  it("raise an alert for each", () => {
    const alerts = (EXPECTED.drifts as DriftAssessed[]).filter(({ alert }) => alert).map(indexOf);
    expect(alerts).toContain(30);
    expect(alerts.some((session) => session >= 45 && session < COLLAPSE)).toBe(true);
    expect(alerts.some((session) => session >= COLLAPSE && session < COLLAPSE + 20)).toBe(true);
    expect(alerts.filter((session) => session < 30)).toEqual([]);
  });

  it.each([
    ["in batches of one", { batch: 1 }],
    ["with every unit killed once", { batch: 7, kill: 1 }],
    ["with every fact twice", { batch: 5, repeat: 1 }],
    ["by four workers", { workers: 4, batch: 3 }],
    ["by four workers that are killed, with duplicates", { workers: 4, batch: 3, kill: 2, repeat: 3 }],
  ])("come to the same %s", (_, disturbance) => {
    const found = pipeline({ ...AS_IT_HAPPENED, ...disturbance });
    expect(sorted(found.rewards)).toEqual(sorted(EXPECTED.rewards));
    expect(sorted(found.drifts)).toEqual(sorted(EXPECTED.drifts));
    expect(sorted(found.reviews)).toEqual(sorted(EXPECTED.reviews));
  });

  it("come to the same final statuses for the same cause, whatever the decisions came before", () => {
    const found = pipeline({ ...AS_IT_HAPPENED, decisionsFirst: true, batch: 4, kill: 3, workers: 4 });
    expect(standing(found.reviews)).toEqual(standing(EXPECTED.reviews));
  });

  it("give the same rewards in any order of arrival, and drift that differs from the first late session on only", () => {
    const disturbances = fc.record({
      batch: fc.integer({ min: 1, max: 40 }),
      repeat: fc.integer({ min: 0, max: 4 }),
      kill: fc.integer({ min: 0, max: 4 }),
      workers: fc.constantFrom(1, 4),
      decisionsFirst: fc.boolean(),
      moved: fc.array(
        fc.record({ from: fc.integer({ min: 0, max: SESSIONS - 1 }), by: fc.integer({ min: 1, max: 30 }) }),
        { maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(disturbances, ({ moved, ...rest }) => {
        const order = [...AS_IT_HAPPENED.order];
        for (const { from, by } of moved)
          order.splice(Math.min(order.length - 1, from + by), 0, order.splice(from, 1)[0]!);
        const found = pipeline({ ...rest, order });
        expect(sorted(found.rewards)).toEqual(sorted(EXPECTED.rewards));
        // Sessions from the earliest overtaken one on may have been held against another baseline.
        const late = order.filter((session, place) => order.slice(0, place).some((other) => other > session));
        const disturbed = late.reduce((least, number) => Math.min(least, number), SESSIONS);
        const inOrder = (events: readonly AtlasEvent[]) =>
          sorted(events.filter((event) => indexOf(event) < disturbed));
        expect(inOrder(found.drifts)).toEqual(inOrder(EXPECTED.drifts));
        const [mine, theirs] = [standing(found.reviews), standing(EXPECTED.reviews)];
        for (let session = 0; session < disturbed; session += 1)
          expect(mine[session]).toEqual(theirs[session]);
        for (const { meta } of DECISIONS)
          expect(mine[ids.get(meta.session_id)!]).toEqual(theirs[ids.get(meta.session_id)!]);
      }),
      { numRuns: 25 },
    );
  });
});
