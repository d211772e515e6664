import { describe, expect, it } from "vitest";
import { DERIVED_TOPICS, keyOf, PRIMARY_TOPICS, TOPICS, topicOf } from "../../schemas/topics.ts";
import { LATEST, leastEvent } from "./arbitrary-events.ts";

const types = [...LATEST.keys()];

describe("topics", () => {
  it("are primary, derived, for dead letters, or for branches", () => {
    expect([...PRIMARY_TOPICS, ...DERIVED_TOPICS, "atlas.dead-letters", "atlas.branches"]).toEqual([
      ...TOPICS,
    ]);
  });

  it("hold what the design says", () => {
    const on = (topic: string) => types.filter((type) => topicOf(type) === topic).sort();
    expect(on("atlas.decisions")).toEqual([
      "AnswerCorrected",
      "DerivationPromoted",
      "ReviewDecided",
      "RulesSet",
      "SessionErased",
    ]);
    expect(on("atlas.learning")).toEqual([
      "DatasetBuilt",
      "EvalConcluded",
      "EvalPlanned",
      "LessonDecided",
      "LessonProposed",
      "PlaybookRevised",
      "PlaybookUsed",
      "TrainingEnded",
      "TrainingLaunched",
    ]);
    expect(on("atlas.rewards")).toEqual(["SessionRewarded"]);
    expect(on("atlas.drift")).toEqual(["DriftAssessed"]);
    expect(on("atlas.review-status")).toEqual(["ReviewStatusChanged"]);
    expect(on("atlas.conclusions")).toEqual(["SessionConcluded"]);
    expect(on("atlas.lessons")).toEqual(["LessonAssessed"]);
    expect(on("atlas.dead-letters")).toEqual(["DeadLetterRetried", "DeadLettered"]);
    expect(on("atlas.sessions")).toContain("SessionStarted");
    expect(on("atlas.sessions")).toHaveLength(types.length - 21);
  });

  it.each(types)("give a %s its key", (type) => {
    const event = leastEvent(type);
    event.meta.session_id = "018f0000-0000-7000-8000-000000000002";
    const expected =
      topicOf(type) === "atlas.sessions"
        ? event.meta.session_id
        : "eval_id" in event
          ? `eval:${event.eval_id}`
          : "learning_key" in event
            ? event.learning_key
            : "atlas";
    expect(keyOf(event)).toBe(expected);
  });

  it("refuse an event of no session on atlas.sessions", () => {
    const event = leastEvent("StepSkipped");
    event.meta.session_id = null;
    expect(() => keyOf(event)).toThrow(
      expect.objectContaining({ code: "ATLAS_EVENT_INVALID", where: `event ${event.meta.event_id}` }),
    );
  });
});
