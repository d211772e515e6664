import { describe, expect, it } from "vitest";
import { drift } from "../../processors/drift.ts";
import { review } from "../../processors/review.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import type { DriftAssessed, ReviewStatusChanged, SessionRewarded } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES, type Rules, rulesHash } from "../../schemas/rules.ts";
import { at, rewarded } from "./facts.ts";

const STRICT: Rules = { ...DEFAULT_RULES, rubric: { ...DEFAULT_RULES.rubric, aggregation: "min" } };
const APPROVING: Rules = {
  ...DEFAULT_RULES,
  review: { auto_approve: { min_reward: 0.5, max_uncertainty: null }, quarantine_on_alert: "off" },
};
const KNOWN = new Map([DEFAULT_RULES, STRICT, APPROVING].map((rules) => [rulesHash(rules), rules]));
const lookup = (hash: string): Rules => KNOWN.get(hash)!;

/** A reward by some rules, of a revision. */
function reward(number: number, score: number, rules: Rules = DEFAULT_RULES, revision = 0): SessionRewarded {
  const { meta, ...rest } = rewarded(`s${number}`, score, at(number));
  const derivation = { ...meta.derivation!, rules_hash: rulesHash(rules), revision };
  return { ...rest, meta: { ...meta, derivation } } as SessionRewarded;
}

const assess = (facts: readonly SessionRewarded[]): DriftAssessed[] =>
  applyFacts(drift, undefined, facts, lookup).events as DriftAssessed[];

const old = Array.from({ length: 8 }, (_, index) => reward(index, 0.9 + index / 100));
const revised = Array.from({ length: 8 }, (_, index) => reward(index, 0.4 + index / 100, STRICT, 1));
const next = reward(9, 0.45, STRICT);

describe("a revised reward", () => {
  it("is not assessed, and takes the place of what it revises", () => {
    const events = assess([...old, ...revised, next]);
    expect(events).toHaveLength(9);
    expect(events.at(-1)).toMatchObject({ alert: false });
    expect(events.at(-1)!.baseline[0]).toMatchObject({ sample_count: 8, mean: 0.435 });
  });

  it("leaves what came of it the same as if nothing had been rewarded before", () => {
    const anew = revised.map(({ meta, ...rest }) => {
      const derivation = { ...meta.derivation!, revision: 0 };
      return { ...rest, meta: { ...meta, derivation } } as SessionRewarded;
    });
    const [live, computed] = [assess([...old, ...revised, next]), assess([...anew, next])];
    expect({ ...live.at(-1)!.metrics }).toEqual({ ...computed.at(-1)!.metrics });
    expect(live.at(-1)!.baseline).toEqual(computed.at(-1)!.baseline);
  });
});

describe("a reward of another rubric", () => {
  it("is held against none of the first", () => {
    const [assessed] = assess([...old, next]).slice(-1);
    expect(assessed).toMatchObject({ alert: false, reason: "insufficient_baseline" });
    expect(assessed!.baseline[0]!.sample_count).toBe(0);
  });

  it("does not disturb the baseline of the first", () => {
    const [assessed] = assess([...old, next, reward(10, 0.95)]).slice(-1);
    expect(assessed!.baseline[0]!.sample_count).toBe(8);
  });
});

describe("a revised assessment", () => {
  it("that comes to the same is the cause from then on", () => {
    const [first] = assess([reward(1, 0.9, APPROVING)]);
    const again = {
      ...first!,
      complete: true,
      score: 0.8,
      meta: {
        ...first!.meta,
        event_id: "018f0000-0000-7000-8000-00000000000a",
        derivation: { ...first!.meta.derivation!, revision: 1 },
      },
    };
    const changes = applyFacts(review, undefined, [{ ...first!, complete: true }, again], lookup)
      .events as ReviewStatusChanged[];
    expect(changes.map(({ from_status, to_status, note }) => [from_status, to_status, note])).toEqual([
      ["pending", "approved", "reward 0.9 of at least 0.5, no drift alert"],
      ["approved", "approved", "reward 0.8 of at least 0.5, no drift alert"],
    ]);
    expect(changes[1]!.meta.causation_id).toBe(again.meta.event_id);
  });
});
