import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProcessor } from "../../processors/check-processor.ts";
import { review } from "../../processors/review.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import type { AtlasEvent, Draft, EventOf } from "../../schemas/generated/events.ts";
import type { ReviewGuardrails } from "../../schemas/rules.ts";
import { at, decided, fact, HASH, rulesOf } from "./facts.ts";

type Fact = EventOf<"DriftAssessed"> | EventOf<"ReviewDecided">;

const assessed = (
  draft: Partial<Draft<"DriftAssessed">> = {},
  { session = "one", revision = 0 }: { session?: string; revision?: number } = {},
): EventOf<"DriftAssessed"> =>
  fact(
    "DriftAssessed",
    session,
    `${revision}`,
    {
      learning_key: "counting",
      completed_at: at(1),
      alert: false,
      window: 50,
      threshold: 3,
      score: 0.9,
      uncertainty: 0.1,
      complete: true,
      ...draft,
    },
    { derivation: { processor: "drift", version: 1, rules_hash: HASH, branch: null, revision } },
  );
const alarming = (direction: string): EventOf<"DriftAssessed"> =>
  assessed({ alert: true, reason: "score_z", direction, message: "score 0.1 against 0.9" });

const AUTO: ReviewGuardrails = {
  auto_approve: { min_reward: 0.8, max_uncertainty: 0.3 },
  quarantine_on_alert: "decline",
};

const changes = (facts: readonly AtlasEvent[], guardrails?: ReviewGuardrails) =>
  checkProcessor(review, facts, { rules: rulesOf(guardrails && { review: guardrails }) })
    .events as EventOf<"ReviewStatusChanged">[];

const statuses = (facts: readonly Fact[], guardrails?: ReviewGuardrails) =>
  changes(facts, guardrails).map(
    ({ from_status, to_status, because }) => `${from_status} ${to_status} ${because}`,
  );

describe("review by persons", () => {
  it("answers a decision with a change, and drift with nothing unless told", () => {
    const run = review.begin(undefined, rulesOf());
    const change = (to_status: string) => [
      expect.objectContaining({ draft: expect.objectContaining({ to_status, because: "person" }) }),
    ];
    expect(run.take(alarming("decline"))).toEqual([]);
    expect(run.state()).toBeUndefined();
    expect(run.take(decided("approved", 1))).toEqual(change("approved"));
    expect(run.take(decided("quarantined", 2))).toEqual(change("quarantined"));
    expect(run.take(alarming("decline"))).toEqual([]);
    expect(run.state()).toMatchObject({ status: "quarantined" });
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

  it("keeps the later of two decisions, whichever arrives first", () => {
    expect(statuses([decided("quarantined", 2), decided("approved", 1)])).toEqual([
      "pending quarantined person",
    ]);
    expect(statuses([decided("approved", 1), decided("quarantined", 2)])).toEqual([
      "pending approved person",
      "approved quarantined person",
    ]);
  });

  it("decides between decisions of one moment by their ids", () => {
    const [low, high] = [decided("approved", 1, "x"), decided("quarantined", 1, "y")].sort((a, b) =>
      a.meta.event_id < b.meta.event_id ? -1 : 1,
    );
    const final = (facts: readonly Fact[]) => changes(facts).at(-1)?.to_status;
    expect(final([low!, high!])).toBe(high!.decision);
    expect(final([high!, low!])).toBe(high!.decision);
  });

  it("says who confirmed a status", () => {
    const again = decided("approved", 3);
    const [, second] = changes([decided("approved", 1), again]);
    expect(second).toMatchObject({
      from_status: "approved",
      to_status: "approved",
      author: "author 3",
      meta: { causation_id: again.meta.event_id },
    });
  });
});

describe("review by rule", () => {
  it("leaves a session pending unless told otherwise", () => {
    expect(changes([assessed(), alarming("decline")])).toEqual([]);
  });

  it("approves what is good, certain, complete and no alert, and says why", () => {
    const cause = assessed();
    expect(changes([cause], AUTO)).toMatchObject([
      {
        from_status: "pending",
        to_status: "approved",
        because: "rule",
        author: null,
        note: "reward 0.9 of at least 0.8, uncertainty 0.1 of at most 0.3, no drift alert",
        meta: { causation_id: cause.meta.event_id, derivation: { rules_hash: HASH } },
      },
    ]);
  });

  it.each([
    ["a low reward", { score: 0.79 }],
    ["too much uncertainty", { uncertainty: 0.31 }],
    ["an unknown uncertainty", { uncertainty: null }],
    ["missing events", { complete: false }],
    ["no word on its events", { complete: null }],
    ["an alert", { alert: true, direction: "improvement" }],
  ])("does not approve with %s", (_, draft) => {
    expect(statuses([assessed(draft)], AUTO)).toEqual([]);
  });

  it("does not ask for a certainty that the rules do not ask for", () => {
    const auto_approve = { min_reward: 0.8, max_uncertainty: null };
    expect(statuses([assessed({ uncertainty: null })], { ...AUTO, auto_approve })).toEqual([
      "pending approved rule",
    ]);
  });

  it("quarantines on alerts of the direction that it is told", () => {
    expect(statuses([alarming("decline")], AUTO)).toEqual(["pending quarantined rule"]);
    expect(statuses([alarming("improvement")], AUTO)).toEqual([]);
    expect(statuses([alarming("improvement")], { ...AUTO, quarantine_on_alert: "any" })).toEqual([
      "pending quarantined rule",
    ]);
    expect(changes([alarming("decline")], AUTO)[0]!.note).toBe("drift: score 0.1 against 0.9");
  });

  it("yields to a person, whichever came first", () => {
    const word = decided("approved", 1);
    expect(statuses([alarming("decline"), word], AUTO)).toEqual([
      "pending quarantined rule",
      "quarantined approved person",
    ]);
    expect(changes([alarming("decline"), word], AUTO)[1]!.overrode).toBe(alarming("decline").meta.event_id);
    expect(statuses([word, alarming("decline")], AUTO)).toEqual(["pending approved person"]);
  });

  it("follows a revised assessment, and not the one that it replaced", () => {
    const revised = assessed({ alert: true, direction: "decline" }, { revision: 1 });
    expect(statuses([assessed(), revised], AUTO)).toEqual([
      "pending approved rule",
      "approved quarantined rule",
    ]);
    expect(statuses([revised, assessed()], AUTO)).toEqual(["pending quarantined rule"]);
    expect(statuses([assessed(), assessed({ score: 0.1 }, { revision: 1 })], AUTO)).toEqual([
      "pending approved rule",
      "approved pending rule",
    ]);
  });
});

describe("review, whatever arrives", () => {
  const words = fc
    .array(
      fc.record({
        decision: fc.constantFrom("approved", "quarantined"),
        second: fc.integer({ min: 1, max: 4 }),
        session: fc.constantFrom("one", "two", "three"),
      }),
      { maxLength: 8 },
    )
    .map((list) =>
      list.map(({ decision, second, session }, index) => decided(decision, second, `${index}`, session)),
    );
  const verdicts = fc.tuple(
    ...["one", "two", "three"].map((session) =>
      fc
        .constantFrom<Partial<Draft<"DriftAssessed">>>(
          {},
          { score: 0 },
          { alert: true, direction: "decline" },
        )
        .map((draft) => assessed(draft, { session })),
    ),
  );
  const facts = fc
    .tuple(words, verdicts)
    .map(([decisions, assessments]): Fact[] => [...decisions, ...assessments]);
  const twoOrders = facts.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
  );

  it("ends in one status with one cause for any order of many sessions' facts", () => {
    const last = (order: readonly Fact[]) => {
      const final = new Map<string, string>();
      for (const { meta, to_status, because } of changes(order, AUTO))
        final.set(meta.session_id!, `${to_status} ${because} ${meta.causation_id}`);
      return [...final].sort(([a], [b]) => (a < b ? -1 : 1));
    };
    fc.assert(
      fc.property(twoOrders, ([all, shuffled]) => {
        expect(last(shuffled)).toEqual(last(all));
      }),
      { numRuns: 60 },
    );
  });

  it("has the same state for any order of one session's facts", () => {
    const own = twoOrders.map((orders) =>
      orders.map((order) => order.filter(({ meta }) => meta.session_id === assessed().meta.session_id)),
    );
    const rules = rulesOf({ review: AUTO });
    fc.assert(
      fc.property(own, ([all, shuffled]) => {
        const state = applyFacts(review, undefined, all!, rules).keyState?.state;
        expect(applyFacts(review, undefined, shuffled!, rules).keyState?.state).toEqual(state);
      }),
    );
  });
});
