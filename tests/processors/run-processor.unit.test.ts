import { delay, filter, mergeMap, NEVER, type Observable, of, takeWhile } from "rxjs";
import { map } from "rxjs/operators";
import { describe, expect, it } from "vitest";
import { fold } from "../../processors/fold.ts";
import { defineProcessor, type EmissionOf, type Output } from "../../processors/processor.ts";
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

const define = (process: (facts$: Observable<Reward>) => Observable<Output<Count>>) =>
  defineProcessor<Count, "SessionRewarded">({
    name: "mine",
    version: 3,
    inputs: ["atlas.rewards"],
    output: "atlas.drift",
    facts: ["SessionRewarded"],
    key: (fact) => fact.learning_key,
    process,
  });

const twice = define(map((fact) => ({ state: { seen: 1 }, emit: [assessment(fact), assessment(fact)] })));
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
    const forgetting = define(map((fact) => ({ state: undefined, emit: [assessment(fact)] })));
    const { keyState } = run(forgetting);
    expect(keyState).toEqual({ state: undefined, version: 3, emitted: 3 });
    const next = applyFacts(forgetting, { ...keyState!, state: null as never }, [facts[0]!], rulesOf());
    expect(next.events[0]!.meta.sequence).toBe(4);
    expect(run(define(map(() => ({ state: undefined, emit: [] })))).keyState).toBeUndefined();
  });

  it("gives a key whose saved state is null no state", () => {
    const seen: unknown[] = [];
    const looking = defineProcessor<Count, "SessionRewarded">({
      ...twice,
      process: fold((state) => {
        seen.push(state);
        return { state: { seen: 1 }, emit: [] };
      }),
    });
    applyFacts(looking, { state: null as never, version: 3, emitted: 1 }, facts.slice(0, 1), rulesOf());
    expect(seen).toEqual([undefined]);
  });

  it.each([
    ["swallows a fact", filter<Output<Count>>((_, index) => index !== 1)],
    ["gives two outputs for one", mergeMap((output: Output<Count>) => of(output, output))],
    ["ends early", takeWhile<Output<Count>>((_, index) => index < 1)],
    ["answers later", delay<Output<Count>>(1)],
  ])("refuses a process that %s", (_, operator) => {
    const bent = define((facts$) => twice.process(facts$, undefined, rulesOf()).pipe(operator));
    expect(() => run(bent)).toThrow(failing("ATLAS_PROCESSOR_IMPURE"));
  });

  it("refuses a process that does not end, and one that answers out of turn", () => {
    expect(() => run(define(() => NEVER))).toThrow(/did not complete/);
    const swapped = define((facts$) =>
      facts$.pipe(
        mergeMap((_, index) =>
          of(...Array.from({ length: [0, 2, 1][index]! }, () => ({ state: undefined, emit: [] }))),
        ),
      ),
    );
    expect(() => run(swapped)).toThrow(
      expect.objectContaining({
        message: "mine gave 0 outputs for a fact, not one",
        where: `SessionRewarded ${facts[0]!.meta.event_id}`,
      }),
    );
  });

  it("passes on what the processor threw", () => {
    const broken = define(
      map(() => {
        throw new RangeError("mine");
      }),
    );
    expect(() => run(broken)).toThrow(RangeError);
  });

  it("does not read state of another version", () => {
    const old = { state: { seen: 1 }, version: 2, emitted: 0 };
    expect(() => applyFacts(twice, old, facts, rulesOf())).toThrow(failing("ATLAS_PROCESSOR_OUTDATED"));
  });

  it("does not let a processor write to another topic", () => {
    const elsewhere = defineProcessor({ ...twice, output: "atlas.review-status" });
    expect(() => run(elsewhere)).toThrow(failing("ATLAS_PROCESSOR_INVALID"));
  });
});

describe("defineProcessor", () => {
  it.each([
    ["reads what is not on its inputs", { inputs: ["atlas.sessions"] as const }],
    ["feeds itself", { inputs: ["atlas.rewards", "atlas.drift"] as const }],
    ["has no usable name", { name: "My/Processor" }],
    ["has no version", { version: 0 }],
  ])("refuses a definition that %s", (_, change) => {
    expect(() => defineProcessor({ ...twice, ...change })).toThrow(failing("ATLAS_PROCESSOR_INVALID"));
  });
});
