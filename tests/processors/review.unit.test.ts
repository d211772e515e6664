import fc from "fast-check";
import { TestScheduler } from "rxjs/testing";
import { describe, expect, it } from "vitest";
import { checkProcessor } from "../../processors/check-processor.ts";
import { review } from "../../processors/review.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import type { EventOf } from "../../schemas/generated/events.ts";
import { at, fact, rulesOf } from "./facts.ts";

type Fact = EventOf<"DriftAssessed"> | EventOf<"ReviewDecided">;

const assessed = (session = "one", alert = true): Fact =>
  fact("DriftAssessed", session, "", {
    learning_key: "counting",
    completed_at: at(1),
    alert,
    window: 50,
    threshold: 3,
  });

const decided = (decision: string, second: number, name = `${second}`, session = "one"): Fact =>
  fact(
    "ReviewDecided",
    session,
    name,
    { learning_key: "counting", decision, author: `author ${name}`, note: `note ${name}` },
    { occurred_at: at(second), source: `review/${name}` },
  );

const changes = (facts: readonly Fact[]) =>
  checkProcessor(review, facts, { rules: rulesOf() }).events as EventOf<"ReviewStatusChanged">[];

const statuses = (facts: readonly Fact[]) =>
  changes(facts).map(({ from_status, to_status }) => `${from_status} ${to_status}`);

describe("review", () => {
  it("answers a decision with a change, and drift with nothing", () => {
    const values = { d: assessed(), a: decided("approved", 1), q: decided("quarantined", 2) };
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, expectObservable }) => {
      const outputs$ = review.process(cold<Fact>("d-a--q-d|", values), undefined, rulesOf());
      const state = (status: string) => expect.objectContaining({ status });
      const change = (to_status: string) => [
        expect.objectContaining({ draft: expect.objectContaining({ to_status, because: "person" }) }),
      ];
      expectObservable(outputs$).toBe("n-a--q-e|", {
        n: { state: undefined, emit: [] },
        a: { state: state("approved"), emit: change("approved") },
        q: { state: state("quarantined"), emit: change("quarantined") },
        e: { state: state("quarantined"), emit: [] },
      });
    });
  });

  it("says who decided, why, and which decision was overridden", () => {
    const first = decided("approved", 1);
    const second = decided("quarantined", 2);
    expect(changes([first, second])).toMatchObject([
      { from_status: "pending", to_status: "approved", author: "author 1", note: "note 1", overrode: null },
      {
        from_status: "approved",
        to_status: "quarantined",
        because: "person",
        author: "author 2",
        note: "note 2",
        overrode: first.meta.event_id,
        learning_key: "counting",
        meta: {
          sequence: 2,
          occurred_at: at(2),
          causation_id: second.meta.event_id,
          source: `review/${second.meta.session_id}`,
        },
      },
    ]);
  });

  it("leaves a session pending that nobody decided on", () => {
    expect(changes([assessed()])).toEqual([]);
  });

  it("keeps the later of two decisions, whichever arrives first", () => {
    expect(statuses([decided("quarantined", 2), decided("approved", 1)])).toEqual(["pending quarantined"]);
    expect(statuses([decided("approved", 1), decided("quarantined", 2)])).toEqual([
      "pending approved",
      "approved quarantined",
    ]);
  });

  it("decides between decisions of one moment by their ids", () => {
    const [low, high] = [decided("approved", 1, "x"), decided("quarantined", 1, "y")].sort((a, b) =>
      a.meta.event_id < b.meta.event_id ? -1 : 1,
    );
    const final = (facts: readonly Fact[]) => changes(facts).at(-1)?.to_status;
    expect(final([low!, high!])).toBe((high as EventOf<"ReviewDecided">).decision);
    expect(final([high!, low!])).toBe((high as EventOf<"ReviewDecided">).decision);
  });

  it("emits nothing for the same status again, and remembers the newer decision", () => {
    const newer = decided("approved", 3);
    const events = changes([
      decided("approved", 1),
      newer,
      decided("quarantined", 2),
      decided("quarantined", 4),
    ]);
    expect(events.map(({ to_status }) => to_status)).toEqual(["approved", "quarantined"]);
    expect(events.at(-1)!.overrode).toBe(newer.meta.event_id);
  });

  it("is a function of the set of facts, however drift and decisions interleave", () => {
    const facts = fc
      .array(fc.tuple(fc.constantFrom("approved", "quarantined"), fc.integer({ min: 1, max: 5 })), {
        maxLength: 6,
      })
      .map((decisions) =>
        decisions.map(([decision, second], index) => decided(decision, second, `${index}`)),
      );
    const interleavings = facts.chain((decisions) =>
      fc.tuple(fc.constant(decisions), fc.nat({ max: decisions.length })),
    );
    fc.assert(
      fc.property(interleavings, ([decisions, place]) => {
        const interleaved = [...decisions.slice(0, place), assessed(), ...decisions.slice(place)];
        const alone = applyFacts(review, undefined, decisions, rulesOf());
        expect(applyFacts(review, undefined, interleaved, rulesOf())).toEqual(alone);
      }),
    );
  });

  it("ends in one status for any order of the decisions", () => {
    const decisions = [
      decided("approved", 1),
      decided("quarantined", 2),
      decided("approved", 2, "2b"),
      assessed(),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(decisions, { minLength: 4, maxLength: 4 }), (order) => {
        const { keyState } = applyFacts(review, undefined, order, rulesOf());
        expect(keyState?.state).toEqual(applyFacts(review, undefined, decisions, rulesOf()).keyState?.state);
      }),
    );
  });
});
