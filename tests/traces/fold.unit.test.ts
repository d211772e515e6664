import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { emptyTrace, foldEvent, foldSession, withFacts } from "../../traces/fold.ts";
import { factsOf, sessionId, sessionWriter, stored, wholeSession } from "./sessions.ts";

const own = wholeSession("a");
const facts = factsOf(own);
const whole = foldSession([...own, ...facts]);

/** The own events in their order with the facts in any, anywhere between. */
const interleaved = fc
  .tuple(
    fc.shuffledSubarray(facts, { minLength: facts.length }),
    fc.array(fc.nat(own.length), { minLength: facts.length, maxLength: facts.length }),
  )
  .map(([order, places]) => {
    const events: AtlasEvent[] = [...own];
    order.forEach((fact, index) => {
      events.splice(places[index]!, 0, fact);
    });
    return events;
  });

describe("what a session comes to", () => {
  it("knows the session, its steps, attempts and guidance", () => {
    expect(whole).toMatchObject({
      session_id: sessionId("a"),
      status: "succeeded",
      final_answer: "3",
      incomplete: false,
      incomplete_reasons: [],
      review_status: "approved",
      review_notes: "looks right",
    });
    expect(whole.started?.task).toBe("Count a");
    expect(whole.plan?.steps.map(({ id }) => id)).toEqual([1, 2]);
    expect(whole.steps.map(({ step_id, status, attempt_count }) => [step_id, status, attempt_count])).toEqual(
      [
        [1, "succeeded", 2],
        [2, "succeeded", 1],
      ],
    );
    expect(whole.steps[0]?.guidance).toEqual(["Look again."]);
    expect(whole.steps[0]?.attempts.map(({ validation }) => validation?.verdict)).toEqual([
      "invalid",
      "valid",
    ]);
    expect(whole.reward?.score).toBe(0.8);
    expect(whole.drift?.reason).toBe("insufficient_baseline");
    expect(whole.decisions.map(({ author }) => author)).toEqual(["Ada"]);
    expect(whole.derivations.map(({ processor }) => processor)).toEqual([
      "session-rewards",
      "drift",
      "review",
    ]);
  });

  it("keeps every own event once and in order", () => {
    expect(whole.events).toEqual(own);
    expect(whole.event_count).toBe(own.length);
  });

  it("does not depend on when other topics say what they say", () => {
    fc.assert(
      fc.property(interleaved, (events) => {
        expect(foldSession(events)).toEqual(whole);
      }),
    );
  });

  it("does not depend on the order of its own events either", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(own, { minLength: own.length }), (events) => {
        const trace = foldSession([...events, ...facts]);
        expect(trace).toEqual(whole);
      }),
    );
  });

  it("drops repetitions", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(own.length + facts.length - 1)), (indexes) => {
        const all = [...own, ...facts];
        const trace = foldSession([...all, ...indexes.map((index) => all[index]!)]);
        expect(trace).toEqual(whole);
      }),
    );
  });

  it("gives the same with facts added afterwards, and leaves the trace that it was given", () => {
    const trace = foldSession(own);
    const before = structuredClone(trace);
    expect(withFacts(trace, facts)).toEqual(whole);
    expect(trace).toEqual(before);
  });

  it("ignores other sessions", () => {
    const trace = emptyTrace(sessionId("a"));
    for (const event of wholeSession("b")) foldEvent(trace, event);
    expect(trace).toEqual(emptyTrace(sessionId("a")));
  });
});

describe("what is missing", () => {
  it("names the gap in the session's own sequence", () => {
    const trace = foldSession(own.filter(({ meta }) => meta.sequence !== 5));
    expect(trace).toMatchObject({ incomplete: true, incomplete_reasons: ["event 5 is missing"] });
  });

  it("names every gap, and the start", () => {
    const kept = own.filter(({ meta }) => ![1, 2, 7, 8, 9].includes(meta.sequence));
    expect(foldSession(kept)).toMatchObject({
      status: "succeeded",
      started: null,
      incomplete_reasons: ["events 1 to 2 are missing", "events 7 to 9 are missing"],
    });
  });

  it("is whole again once the missing event comes", () => {
    const late = own[4]!;
    const trace = foldSession([...own.filter((event) => event !== late), ...facts]);
    expect(foldEvent(trace, late)).toEqual(whole);
  });

  it("counts a record that a consumer could not apply", () => {
    const letter = createEvent(
      "DeadLettered",
      {
        event_id: idOf("letter"),
        session_id: sessionId("a"),
        source: "dead-letters/drift/atlas.rewards/0",
        sequence: 8,
        occurred_at: 1,
        time_assumed: false,
      },
      {
        learning_key: "counting",
        group: "drift",
        topic: "atlas.rewards",
        partition: 0,
        offset: 7,
        error_code: "ATLAS_UNEXPECTED",
        error: "no",
        fingerprint: "",
        body: Buffer.from("x"),
      },
    );
    const trace = foldSession([...own, letter, letter]);
    expect(trace.incomplete_reasons).toEqual(["drift could not apply atlas.rewards[0]@7: ATLAS_UNEXPECTED"]);
  });
});

describe("which fact holds", () => {
  it("is the latest revision, whichever came first", () => {
    const revised = factsOf(own, { revision: 1, score: 0.25 });
    for (const events of [
      [...own, ...facts, ...revised],
      [...revised, ...own, ...facts],
    ]) {
      expect(foldSession(events).reward?.score).toBe(0.25);
    }
  });

  it("is never one of a branch", () => {
    const [rewarded] = factsOf(own, { revision: 5, score: 0.1 });
    const branched = {
      ...rewarded!,
      meta: { ...rewarded!.meta, derivation: { ...rewarded!.meta.derivation!, branch: "trial" } },
    };
    expect(foldSession([...own, ...facts, branched as AtlasEvent]).reward?.score).toBe(0.8);
  });

  it("is the last review status by sequence", () => {
    const change = facts.find(({ type }) => type === "ReviewStatusChanged")!;
    const later = {
      ...change,
      meta: {
        ...change.meta,
        event_id: idOf("later"),
        sequence: 2,
        occurred_at: change.meta.occurred_at + 5,
      },
      from_status: "approved",
      to_status: "quarantined",
      note: null,
    } as AtlasEvent;
    for (const events of [
      [...own, change, later],
      [later, change, ...own],
    ]) {
      expect(foldSession(events)).toMatchObject({ review_status: "quarantined", review_notes: null });
    }
  });

  it("is the first of an end and an abandonment", () => {
    const { emit, events } = sessionWriter("late");
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "a" });
    emit("SessionAbandoned", { learning_key: "k", deadline: 1, reason: "past its deadline" });
    emit("SessionEnded", { learning_key: "k", status: "succeeded", final_answer: "too late" });
    expect(foldSession(events)).toMatchObject({
      status: "abandoned",
      final_answer: null,
      error: "past its deadline",
    });
  });

  it("has no reward where nobody judged", () => {
    expect(foldSession(own).reward).toBeNull();
  });
});

describe("texts", () => {
  it("lose NUL, which Postgres cannot hold, but not in the events", () => {
    const { emit, events } = sessionWriter("nul");
    emit("SessionStarted", { task: "a\0b", learning_key: "k", agent: "x" });
    const trace = foldSession(events);
    expect(trace.started?.task).toBe("a\ufffdb");
    expect(trace.events[0]).toMatchObject({ task: "a\0b" });
  });

  it("a step that was only skipped did not run", () => {
    const { emit, events } = sessionWriter("skipped");
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
    emit("StepSkipped", { step_id: 2, reason: "step 1 failed" });
    expect(foldSession(events).steps).toMatchObject([{ step_id: 2, status: "skipped", ran: false }]);
  });
});

describe("events of another source", () => {
  const judgement = (n: number): AtlasEvent =>
    stored(
      createEvent(
        "JudgementMade",
        {
          event_id: idOf("deferred", n),
          session_id: sessionId("a"),
          source: "deferred-judge/a",
          sequence: n,
          occurred_at: 1_800_000_000_000_000,
          time_assumed: false,
        },
        { judge: "deferred", stage: "sample", score: n / 10 },
      ),
    );

  it("stand where the log has them, once, and leave no gap", () => {
    const trace = foldSession([...own, judgement(1), judgement(2), judgement(1)]);
    expect(trace.events.slice(-2)).toEqual([judgement(1), judgement(2)]);
    expect(trace.incomplete).toBe(false);
    expect(trace.judgements).toHaveLength(4);
  });
});

describe("many events", () => {
  const COUNT = 20_000;
  const at = (session_id: string, sequence: number, source = session_id): AtlasEvent["meta"] => ({
    event_id: idOf("many", session_id, source, sequence),
    session_id,
    source,
    sequence,
    occurred_at: sequence,
    time_assumed: false,
  });
  const many = (make: (n: number) => AtlasEvent): AtlasEvent[] =>
    Array.from({ length: COUNT }, (_, index) => make(index + 1));
  const id = sessionId("many");
  const skipped = (n: number, meta = at(id, n)): AtlasEvent =>
    createEvent("StepSkipped", meta, { step_id: n, reason: "" });
  const judged = { judge: "j", stage: "sample", score: 1 };

  it.each<[string, AtlasEvent[]]>([
    ["a step each", many((n) => skipped(n))],
    ["steps in the opposite order", many((n) => skipped(COUNT - n, at(id, n)))],
    ["a gap after each", many((n) => skipped(n, at(id, 2 * n)))],
    [
      "an attempt each",
      many((n) => createEvent("AttemptStarted", at(id, n), { step_id: 1, attempt: n, guidance: [] })),
    ],
    ["all of another source", many((n) => createEvent("JudgementMade", at(id, n, "judges/x"), judged))],
  ])(
    "are folded in a time that grows with their number: %s",
    (_name, events) => {
      const before = process.cpuUsage();
      const trace = foldSession(events);
      const { user, system } = process.cpuUsage(before);
      expect(trace.event_count).toBe(COUNT);
      expect((user + system) / 1e6).toBeLessThan(3);
    },
    120_000,
  );

  it("come to the same one by one and all together", () => {
    const { emit, events } = sessionWriter("a");
    emit("SessionStarted", { task: "Count a", learning_key: "k", agent: "x" });
    const started = events[0]!.meta.event_id;
    for (const part of [1, 2])
      emit("ContentContinued", { continues: started, field: "task", part, parts: 2, text: "b" });
    emit("StepSkipped", { step_id: 2, reason: "no" });
    emit("StepSkipped", { step_id: 1, reason: "no" });
    const mixed = [...events, createEvent("JudgementMade", at(sessionId("a"), 1, "judges/a"), judged)];
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...mixed, ...mixed], { minLength: 1 }).filter((given) => given.length > 0),
        (given) => {
          const trace = emptyTrace(sessionId("a"));
          for (const event of given) foldEvent(trace, event);
          expect(foldSession(given)).toEqual(trace);
        },
      ),
    );
  });
});
