import { describe, expect, it } from "vitest";
import { defineProcessor } from "../../processors/define-processor.ts";
import type { EmissionOf, Output } from "../../processors/processor.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import { idOf } from "../../schemas/identity.ts";
import { at, HASH, rewarded, rulesOf } from "./facts.ts";

type Reward = ReturnType<typeof rewarded>;
type Count = { seen: number };

const assessment = (cause: Reward): EmissionOf<"DriftAssessed"> => ({
  type: "DriftAssessed",
  cause,
  rulesHash: HASH,
  draft: { learning_key: "counting", completed_at: 1, alert: false, window: 50, threshold: 3 },
});

const define = (reduce: (state: Count | undefined, fact: Reward) => Output<Count>) =>
  defineProcessor({
    name: "mine",
    version: 3,
    facts: ["SessionRewarded"],
    emits: ["DriftAssessed"],
    key: (fact) => fact.learning_key,
    reduce,
  });

const twice = define((_, fact) => ({ state: { seen: 1 }, emit: [assessment(fact), assessment(fact)] }));
const facts = [1, 2, 3].map((second) => rewarded(String(second), 1, at(second)));
const run = (processor: ReturnType<typeof define>) => applyFacts(processor, undefined, facts, rulesOf());
const failing = (code: string) => expect.objectContaining({ code });

describe("applyFacts", () => {
  it("goes on where it left off", () => {
    const first = applyFacts(twice, undefined, facts.slice(0, 1), rulesOf());
    expect(first.keyState).toEqual({ state: { seen: 1 }, version: 3, emitted: 2 });
    const second = applyFacts(twice, first.keyState, facts.slice(1), rulesOf());
    expect([...first.events, ...second.events]).toEqual(run(twice).events);
    expect(run(twice).events.map(({ meta }) => meta.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("stamps an event with what its cause and its derivation decide, and nothing else", () => {
    const [, second] = run(twice).events;
    const cause = facts[0]!.meta;
    expect(second!.meta).toEqual({
      event_id: idOf("mine", 3, HASH, cause.event_id, 1),
      session_id: cause.session_id,
      source: "mine/counting",
      sequence: 2,
      occurred_at: cause.occurred_at,
      time_assumed: false,
      causation_id: cause.event_id,
      trace_id: null,
      derivation: { processor: "mine", version: 3, rules_hash: HASH, branch: null, revision: 0 },
    });
  });

  it("keeps the count of a key that forgets, and nothing of one that never emitted", () => {
    const forgetting = define((_, fact) => ({ state: undefined, emit: [assessment(fact)] }));
    const { keyState } = run(forgetting);
    expect(keyState).toEqual({ state: undefined, version: 3, emitted: 3 });
    const next = applyFacts(forgetting, { ...keyState!, state: null as never }, [facts[0]!], rulesOf());
    expect(next.events[0]!.meta.sequence).toBe(4);
    expect(run(define(() => ({ state: undefined, emit: [] }))).keyState).toBeUndefined();
  });

  it("gives a key whose saved state is null no state", () => {
    const seen: unknown[] = [];
    const looking = define((state) => {
      seen.push(state);
      return { state: { seen: 1 }, emit: [] };
    });
    applyFacts(looking, { state: null as never, version: 3, emitted: 1 }, facts.slice(0, 1), rulesOf());
    expect(seen).toEqual([undefined]);
  });

  it("passes on what the processor threw", () => {
    const broken = define(() => {
      throw new RangeError("mine");
    });
    expect(() => run(broken)).toThrow(RangeError);
  });

  it("does not read state of another version", () => {
    const old = { state: { seen: 1 }, version: 2, emitted: 0 };
    expect(() => applyFacts(twice, old, facts, rulesOf())).toThrow(failing("ATLAS_PROCESSOR_OUTDATED"));
  });

  it("does not let a processor emit what it does not say", () => {
    const elsewhere = { ...twice, emits: ["ReviewStatusChanged"] };
    expect(() => run(elsewhere)).toThrow(failing("ATLAS_PROCESSOR_INVALID"));
  });
});

describe("defineProcessor", () => {
  const fine = {
    name: "mine",
    version: 1,
    facts: ["SessionRewarded"] as const,
    emits: ["DriftAssessed"] as const,
    key: () => "k",
    reduce: () => ({ state: undefined, emit: [] }),
  };
  it.each([
    ["feeds itself", { emits: ["SessionRewarded"] as const }],
    ["looks at nothing", { facts: [] }],
    ["has no usable name", { name: "My/Processor" }],
    ["has no version", { version: 0 }],
  ])("refuses a definition that %s", (_, change) => {
    expect(() => defineProcessor({ ...fine, ...change })).toThrow(failing("ATLAS_PROCESSOR_INVALID"));
  });

  it("finds the topics of what it reads", () => {
    expect(defineProcessor(fine).inputs).toEqual(["atlas.rewards"]);
  });
});
