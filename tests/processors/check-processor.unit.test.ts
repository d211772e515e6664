import { randomInt } from "node:crypto";
import { bufferCount, debounceTime, delay, distinct, map, type Observable, pairwise, scan, take } from "rxjs";
import { describe, expect, it } from "vitest";
import {
  checkProcessor,
  defineProcessor,
  type Emission,
  type EmissionOf,
  type Processor,
  scanState,
} from "../../app/processors.ts";
import { drift } from "../../processors/drift.ts";
import { review } from "../../processors/review.ts";
import { sessionRewards } from "../../processors/session-rewards.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import type { RulesLookup } from "../../schemas/rules.ts";
import { at, fact, HASH, judgedSession, rewarded, rulesOf } from "./facts.ts";

type Reward = EventOf<"SessionRewarded">;
interface Sum {
  sum: number;
  [more: string]: unknown;
}

const assessment = (cause: Reward, threshold: number): EmissionOf<"DriftAssessed"> => ({
  type: "DriftAssessed",
  cause,
  rulesHash: HASH,
  draft: { learning_key: cause.learning_key, completed_at: 1, alert: false, window: 1, threshold },
});

/** A processor that adds up scores, bent by `step`: what it returns becomes the state. */
const adding = (step: (sum: number, fact: Reward, state: Sum | undefined, rules: RulesLookup) => Sum) =>
  defineProcessor<Sum, "SessionRewarded">({
    name: "adding",
    version: 1,
    facts: ["SessionRewarded"],
    emits: ["DriftAssessed"],
    key: ({ learning_key }) => learning_key,
    reduce: (before, one, rules) => {
      const state = step((before?.sum ?? 0) + one.score, one, before, rules);
      return { state, emit: [assessment(one, Number(state.sum))] };
    },
  });

/** A processor that is a pipe over rewards. */
const piped = (pipe: (facts$: Observable<Reward>) => Observable<Emission>): Processor =>
  defineProcessor({
    name: "piped",
    version: 1,
    facts: ["SessionRewarded"],
    emits: ["DriftAssessed"],
    key: ({ learning_key }) => learning_key,
    pipe,
  });

const facts = Array.from({ length: 12 }, (_, index) =>
  rewarded(String(index), index / 10, at(index + 1), { learning_key: index % 3 === 0 ? "a" : "b" }),
);
const check = (processor: Processor, given: AtlasEvent[] = facts) =>
  checkProcessor(processor, given, { rules: rulesOf() });

describe("checkProcessor", () => {
  it("accepts a pure processor and returns what the facts come to, in their order", () => {
    const { events } = check(adding((sum) => ({ sum })));
    expect(events.map(({ meta }) => meta.causation_id)).toEqual(facts.map(({ meta }) => meta.event_id));
    expect(events.map(({ meta }) => meta.sequence)).toEqual([1, 1, 2, 2, 3, 4, 3, 5, 6, 4, 7, 8]);
  });

  it("proves our own on many mixed sessions", () => {
    const names = Array.from({ length: 12 }, (_, index) => String(index));
    const sessions = names.map((name, index) =>
      judgedSession(name, [{ score: index / 12, uncertainty: 0.1 }, { score: 0.5 }], {
        endedAt: at(100 - index),
      }),
    );
    const mixed = Array.from({ length: 5 }, (_, place) => sessions.map((session) => session[place]!)).flat();
    const rewards = checkProcessor(sessionRewards, mixed, { rules: rulesOf(), runs: 30 }).events;
    expect(rewards).toHaveLength(12);
    const drifts = checkProcessor(drift, rewards, { rules: rulesOf(), runs: 30 }).events;
    expect(drifts).toHaveLength(12);
    const decisions = names.map((name, index) =>
      fact("ReviewDecided", name, name, {
        learning_key: "counting",
        decision: index % 2 === 0 ? "approved" : "quarantined",
        author: "someone",
      }),
    );
    const reviewed = checkProcessor(review, [...drifts.slice(6), ...decisions, ...drifts.slice(0, 6)], {
      rules: rulesOf(),
      runs: 30,
    });
    expect(reviewed.events).toHaveLength(12);
  });

  it("leaves out events that are not among the processor's facts", () => {
    const [started] = judgedSession("other", []);
    expect(
      check(
        adding((sum) => ({ sum })),
        [started!, ...facts],
      ).events,
    ).toHaveLength(12);
    expect(
      check(
        adding((sum) => ({ sum })),
        [],
      ).events,
    ).toEqual([]);
  });

  let outside = 0;
  const memo = new WeakMap<object, number>();
  const impure: [string, RegExp, ReturnType<typeof adding>][] = [
    ["asks the clock", /calls Date\.now\(\)/, adding((sum) => ({ sum, at: Date.now() }))],
    [
      "makes a date of the present",
      /calls new Date\(\)/,
      adding((sum) => ({ sum, at: new Date().toISOString() })),
    ],
    ["prints the present", /calls Date\(\)/, adding((sum) => ({ sum, at: Date() }))],
    ["times itself", /calls performance\.now\(\)/, adding((sum) => ({ sum, at: performance.now() }))],
    [
      "reads the processor's counter",
      /calls process\.hrtime/,
      adding((sum) => ({ sum, at: `${process.hrtime.bigint()}` })),
    ],
    ["rolls dice", /calls Math\.random\(\)/, adding((sum) => ({ sum: sum + Math.random() }))],
    ["makes up an id", /calls crypto\.randomUUID\(\)/, adding((sum) => ({ sum, id: crypto.randomUUID() }))],
    [
      "asks the clock and hides that it may not",
      /calls Date\.now\(\)/,
      adding((sum) => {
        try {
          return { sum, at: Date.now() };
        } catch {
          return { sum };
        }
      }),
    ],
    [
      "takes chance from elsewhere",
      /when it is run again/,
      adding((sum) => ({ sum: sum + randomInt(1_000_000) })),
    ],
    [
      "counts outside its state",
      /when it is run again/,
      adding((sum) => {
        outside += 1;
        return { sum: sum + outside };
      }),
    ],
    [
      "remembers the very object that it returned",
      /split into batches/,
      adding((sum, _, before) => {
        const seen = (before === undefined ? undefined : memo.get(before)) ?? 0;
        const state = { sum: sum + seen };
        memo.set(state, seen + 1);
        return state;
      }),
    ],
    [
      "changes a fact",
      /changes a fact, its state or the rules/,
      adding((sum, one) => {
        one.tags.push("seen");
        return { sum };
      }),
    ],
    [
      "changes its state",
      /changes a fact, its state or the rules/,
      adding((sum, _, before) => {
        if (before === undefined) return { sum };
        before.sum = sum;
        return before;
      }),
    ],
    [
      "changes the rules",
      /changes a fact, its state or the rules/,
      adding((sum, _one, _before, rules) => {
        rules(HASH).drift.window += 1;
        return { sum };
      }),
    ],
    ["keeps a map", /not plain JSON: state\.by is a Map/, adding((sum) => ({ sum, by: new Map() }))],
    [
      "keeps a date",
      /not plain JSON: state\.at\[0\] is a Date/,
      adding((sum) => ({ sum, at: [new Date(1)] })),
    ],
    [
      "keeps undefined",
      /not plain JSON: state\.none is undefined/,
      adding((sum) => ({ sum, none: undefined })),
    ],
    ["keeps what is no number", /not plain JSON: state\.sum is NaN/, adding(() => ({ sum: Number.NaN }))],
    ["keeps a function", /not plain JSON: state\.f is a function/, adding((sum) => ({ sum, f: () => sum }))],
  ];

  it.each(impure)("catches a processor that %s", (_, problem, processor) => {
    expect(() => check(processor)).toThrow(
      expect.objectContaining({
        code: "ATLAS_PROCESSOR_IMPURE",
        message: expect.stringMatching(problem),
        where: expect.stringMatching(/^SessionRewarded [0-9a-f-]{36}$/),
      }),
    );
  });

  it("catches a processor that counts within a batch", () => {
    const counting = piped((facts$) => facts$.pipe(map((one, index) => assessment(one, index))));
    expect(() => check(counting)).toThrow(/split into batches/);
  });

  const forgetful: [string, (facts$: Observable<Reward>) => Observable<Emission>][] = [
    [
      "scan",
      (facts$) =>
        facts$.pipe(
          scan((sum, one) => assessment(one, sum.draft.threshold + one.score), assessment(facts[0]!, 0)),
        ),
    ],
    [
      "pairwise",
      (facts$) =>
        facts$.pipe(
          pairwise(),
          map(([before, one]) => assessment(one, before.score)),
        ),
    ],
    [
      "bufferCount",
      (facts$) =>
        facts$.pipe(
          bufferCount(3),
          map(([one]) => assessment(one!, 1)),
        ),
    ],
    [
      "distinct",
      (facts$) =>
        facts$.pipe(
          distinct(({ agent }) => agent),
          map((one) => assessment(one, 1)),
        ),
    ],
    [
      "take",
      (facts$) =>
        facts$.pipe(
          take(2),
          map((one) => assessment(one, 1)),
        ),
    ],
  ];
  it.each(forgetful)("catches %s, which remembers in memory, and shows what it came to", (_, pipe) => {
    expect(() => check(piped(pipe))).toThrow(
      expect.objectContaining({
        code: "ATLAS_PROCESSOR_IMPURE",
        message: expect.stringMatching(/split into batches.*one by one.*together with/s),
        where: expect.stringMatching(/^SessionRewarded [0-9a-f-]{36}$/),
        hint: expect.stringContaining("scanState"),
      }),
    );
  });

  it.each([
    ["delay", delay<EmissionOf<"DriftAssessed">>(1)],
    ["debounceTime", debounceTime<EmissionOf<"DriftAssessed">>(1)],
  ])("catches %s, which waits", (_, operator) => {
    const waiting = piped((facts$) =>
      facts$.pipe(
        map((one) => assessment(one, 1)),
        operator,
      ),
    );
    expect(() => check(waiting)).toThrow(expect.objectContaining({ code: "ATLAS_PROCESSOR_IMPURE" }));
  });

  it("accepts the same in durable operators", () => {
    const summing = piped((facts$) =>
      facts$.pipe(
        scanState(({ sum }, one) => ({ sum: sum + one.score, cause: { meta: one.meta } }), {
          sum: 0,
          cause: { meta: facts[0]!.meta },
        }),
        map(({ sum, cause }) => assessment({ ...facts[0]!, ...cause }, sum)),
      ),
    );
    expect(check(summing).events).toHaveLength(12);
  });

  it("catches facts of one key that lie in several partitions", () => {
    const mixing = defineProcessor({
      name: "mixing",
      version: 1,
      facts: ["SessionRewarded"],
      emits: ["DriftAssessed"],
      key: () => "all",
      reduce: () => ({ state: { sum: 0 }, emit: [] }),
    });
    expect(() => check(mixing)).toThrow(/has facts of the keys "a" and "b" under its key "all"/);
  });

  it("catches a processor that mixes its keys", () => {
    const latest = { key: "" };
    const mixing = adding((sum, one) => {
      const changed = latest.key !== one.learning_key;
      latest.key = one.learning_key;
      return { sum: changed ? sum : sum + 1 };
    });
    expect(() => check(mixing)).toThrow(expect.objectContaining({ code: "ATLAS_PROCESSOR_IMPURE" }));
  });

  it("names the fact at which results part", () => {
    let runs = 0;
    const parting = adding((sum, one) => {
      if (one !== undefined && one.score === 0.7) runs += 1;
      return { sum: one.score === 0.7 ? sum + runs : sum };
    });
    const seventh = facts.find(({ score }) => score === 0.7)!;
    expect(() => check(parting)).toThrow(
      expect.objectContaining({ where: `SessionRewarded ${seventh.meta.event_id}` }),
    );
  });

  it("refuses an event that does not fit its schema", () => {
    const wrong = piped(map((one) => assessment(one, "three" as never)));
    expect(() => check(wrong)).toThrow(expect.objectContaining({ code: "ATLAS_EVENT_INVALID" }));
  });

  it("passes on the processor's own errors, and leaves clock and chance as they were", () => {
    const { now } = Date;
    const broken = adding((_, one) => (one as unknown as { gone: { away: Sum } }).gone.away);
    expect(() => check(broken)).toThrow(TypeError);
    expect(() => check(adding((sum) => ({ sum, at: Date.now() })))).toThrow();
    expect(Date.now).toBe(now);
    expect(new Date().toISOString()).toHaveLength(24);
    expect(Math.random()).toBeLessThan(1);
    expect(crypto.randomUUID()).toHaveLength(36);
    expect(performance.now()).toBeGreaterThan(0);
    expect(process.hrtime.bigint()).toBeGreaterThan(0n);
  });
});
