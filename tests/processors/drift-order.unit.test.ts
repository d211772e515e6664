import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProcessor } from "../../processors/check-processor.ts";
import { type DriftState, drift } from "../../processors/drift.ts";
import { MOST_OVERTAKEN } from "../../processors/drift-order.ts";
import { applyFacts, type KeyState } from "../../processors/run-processor.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { DEFAULT_RULES, type RulesLookup } from "../../schemas/rules.ts";
import { at, decided, HASH, type RewardOptions, rewarded, rulesOf } from "./facts.ts";

type Reward = EventOf<"SessionRewarded">;

const stateOf = ({ keyState }: { keyState: KeyState<object> | undefined }): DriftState =>
  keyState?.state ?? {};

const RULES = rulesOf({ drift: { ...DEFAULT_RULES.drift, window: 6, min_baseline: 2 } });
const idOfSession = (number: number | string): string => idOf("session", String(number));

/** Sessions of one import: each names the one before it. */
const imported = (
  scores: readonly number[],
  options: (index: number) => RewardOptions & { second?: number } = () => ({}),
): Reward[] =>
  scores.map((score, index) => {
    const { second = index + 1, ...rest } = options(index);
    const after = index === 0 ? {} : { after: idOfSession(index - 1) };
    return rewarded(String(index), score, at(second), { ...after, ...rest });
  });

const driftOf = (facts: readonly AtlasEvent[], rules: RulesLookup = RULES) =>
  applyFacts(drift, undefined, facts as Reward[], rules);
const assessed = (facts: readonly AtlasEvent[]): (string | null | undefined)[] =>
  driftOf(facts).events.map(({ meta }) => meta.session_id);
const named = (...sessions: (number | string)[]): string[] => sessions.map(idOfSession);
const waitingIn = (facts: readonly AtlasEvent[]): number =>
  stateOf(driftOf(facts)).queue?.order.waiting.length ?? 0;

describe("drift over an import", () => {
  const sessions = fc.array(
    fc.record({
      score: fc.constantFrom(0, 0.5, 0.9, 1),
      second: fc.integer({ min: 1, max: 60 }),
      agent: fc.constantFrom("a", "b"),
      partition: fc.nat({ max: 7 }),
      chance: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 60 },
  );

  it("is equal for any interleaving of the partitions", () => {
    fc.assert(
      fc.property(sessions, fc.infiniteStream(fc.nat()), (list, chance) => {
        const facts = imported(
          list.map(({ score }) => score),
          (index) => ({ second: list[index]!.second, agent: list[index]!.agent }),
        );
        const left = facts.map((fact, index) => ({ fact, partition: list[index]!.partition }));
        const arrived: Reward[] = [];
        while (left.length > 0) {
          const partition = left[chance.next().value! % left.length]!.partition;
          const [next] = left.splice(
            left.findIndex((one) => one.partition === partition),
            1,
          );
          arrived.push(next!.fact);
        }
        expect(driftOf(arrived).events).toEqual(driftOf(facts).events);
      }),
    );
  });

  it("is equal for any order of arrival, and pure", () => {
    fc.assert(
      fc.property(sessions, fc.integer(), (list, seed) => {
        const facts = imported(list.map(({ score }) => score));
        const arrived = list
          .map(({ chance }, index) => ({ chance, fact: facts[index]! }))
          .sort((a, b) => a.chance - b.chance)
          .map(({ fact }) => fact);
        const { events } = checkProcessor(drift, arrived, { rules: RULES, runs: 6, seed });
        expect(events).toEqual(driftOf(facts).events);
      }),
      { numRuns: 40 },
    );
  });

  it("assesses the last session without anything else having to happen", () => {
    const [one, two, three] = imported([1, 0.5, 0]);
    expect(assessed([three!, two!, one!])).toEqual(named(0, 1, 2));
    expect(waitingIn([three!, two!, one!])).toBe(0);
  });

  it("takes live sessions as they come, whoever waits", () => {
    const [, two] = imported([1, 0.5]);
    const live = rewarded("live", 1, at(9));
    expect(assessed([two!, live])).toEqual(named("live"));
    expect(waitingIn([two!, live])).toBe(1);
  });

  it("lets a session wait for so many others, and then takes its chain in order", () => {
    const [, two, three, four] = imported([1, 0.5, 0, 1]);
    const others = Array.from({ length: MOST_OVERTAKEN }, (_, index) =>
      rewarded(`other ${index}`, 1, at(100 + index)),
    );
    const early = assessed([four!, three!, two!, ...others.slice(0, -3)]);
    expect(early).toHaveLength(MOST_OVERTAKEN - 3);
    const late = assessed([four!, three!, two!, ...others.slice(0, -2)]);
    expect(late.slice(-3)).toEqual(named(1, 2, 3));
  });

  it("keeps a bounded state, and less of a session than its reward", () => {
    const facts = imported(Array.from({ length: MOST_OVERTAKEN + 200 }, (_, index) => (index % 7) / 7)).map(
      (fact) => ({ ...fact, judgements: [idOf("a"), idOf("b")] }),
    );
    const lacking = driftOf(facts.slice(1, MOST_OVERTAKEN));
    expect(lacking.events).toEqual([]);
    expect(stateOf(lacking).queue!.order.waiting[0]!.reward.judgements).toEqual([]);
    const { keyState, events } = driftOf(facts.slice(1));
    expect(events.map(({ meta }) => meta.session_id)).toEqual(
      facts.slice(1).map(({ meta }) => meta.session_id),
    );
    expect(stateOf({ keyState }).queue!.order).toMatchObject({ waiting: [] });
    expect(stateOf({ keyState }).queue!.order.seen).toHaveLength(MOST_OVERTAKEN);
  });

  it("takes sessions that wait for one another in the end, too", () => {
    const one = rewarded("0", 1, at(1), { after: idOfSession(1) });
    const two = rewarded("1", 1, at(2), { after: idOfSession(0) });
    const others = Array.from({ length: MOST_OVERTAKEN }, (_, index) =>
      rewarded(`other ${index}`, 1, at(100 + index)),
    );
    expect(waitingIn([one, two])).toBe(2);
    expect(waitingIn([one, two, ...others])).toBe(0);
  });

  it("takes a revised reward at once, and those that waited for its session", () => {
    const [, two, three] = imported([1, 0.5, 0]);
    const revised = {
      ...two!,
      meta: { ...two!.meta, derivation: { ...two!.meta.derivation!, revision: 1 } },
    };
    const facts = [three!, two!, revised];
    expect(assessed(facts)).toEqual(named(2));
    expect(waitingIn(facts)).toBe(0);
  });

  it("goes on by the rules of a reward that waits, where it has never seen them", () => {
    const [one, two] = imported([1, 0.5]);
    const derivation = { ...one!.meta.derivation!, rules_hash: "other" };
    const first = { ...one!, meta: { ...one!.meta, derivation } };
    const { keyState } = driftOf([two!]);
    const later: RulesLookup = (hash) => {
      if (hash === HASH) throw new Error("never seen");
      return RULES();
    };
    const after = applyFacts(
      drift,
      JSON.parse(JSON.stringify(keyState)) as NonNullable<typeof keyState>,
      [first],
      later,
    );
    expect(after.events.map(({ meta }) => [meta.session_id, meta.derivation!.rules_hash])).toEqual([
      [idOfSession(0), "other"],
      [idOfSession(1), HASH],
    ]);
    expect(stateOf(after).queue!.rules).toEqual({});
  });

  it("counts what was decided on sessions of an import, however long before they come", () => {
    const facts = imported(Array.from({ length: 400 }, (_, index) => (index % 7) / 7));
    const words = facts.map((_, index) =>
      decided(index % 3 === 0 ? "quarantined" : "approved", index + 1, `w${index}`, String(index)),
    );
    const inTurn = facts.flatMap((fact, index) => [words[index]!, fact]);
    expect(driftOf([...words, ...facts]).events).toEqual(driftOf(inTurn).events);
  });
});
