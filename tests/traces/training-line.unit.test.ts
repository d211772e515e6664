import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldSession } from "../../traces/fold.ts";
import { lineJson } from "../../traces/line-json.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { anySession } from "./arbitrary-sessions.ts";
import { mixedPaths } from "./arrow-types.ts";
import { factsOf, sessionWriter, wholeSession } from "./sessions.ts";

const own = wholeSession("a");
const line = encodeTrainingLine(foldSession([...own, ...factsOf(own)]));
const record = JSON.parse(line);

const KEYS = [
  "task",
  "final_answer",
  "plan",
  "steps",
  "session_metadata",
  "execution_mode",
  "review_status",
  "review_notes",
  "reward_stats",
  "reward_audit",
  "session_reward",
  "student_learning",
  "teacher_learning",
  "adaptive_summary",
  "triage_dossier",
  "learning_key",
  "learning_history",
  "teacher_notes",
  "reward_summary",
  "drift",
  "drift_alert",
  "trajectory_events",
];

const STEP_KEYS = [
  "step_id",
  "description",
  "trace",
  "output",
  "reward",
  "tool",
  "tool_params",
  "context",
  "validation",
  "attempts",
  "guidance",
  "artifacts",
  "deliverable",
  "runtime",
];

describe("a training line", () => {
  it("has every key in the order that readers know, also where there is nothing to say", () => {
    expect(Object.keys(record)).toEqual(KEYS);
    const { events, emit } = sessionWriter("bare");
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
    expect(Object.keys(JSON.parse(encodeTrainingLine(foldSession(events))))).toEqual(KEYS);
    for (const step of record.steps) {
      expect(Object.keys(step).slice(0, STEP_KEYS.length)).toEqual(STEP_KEYS);
      expect(Object.keys(step).at(-1)).toBe("metadata");
    }
  });

  it("is one line of JSON with a space after commas and colons, characters as they are", () => {
    expect(lineJson({ a: [1, "ä😀"], b: { c: null, d: true, e: undefined } })).toBe(
      '{"a": [1, "ä😀"], "b": {"c": null, "d": true}}',
    );
    expect(line).not.toContain("\n");
    expect(line.startsWith('{"task": "Count a", "final_answer": "3", "plan": {"steps": [{"id": 1, ')).toBe(
      true,
    );
  });

  it("holds all events, oldest first, each once, numbered from 1", () => {
    const rows = record.trajectory_events as {
      id: number;
      event: { payload: { metadata: { event_id: string } } };
    }[];
    expect(rows.map(({ id }) => id)).toEqual(own.map((_, index) => index + 1));
    expect(rows.map(({ event }) => event.payload.metadata.event_id)).toEqual(
      own.map(({ meta }) => meta.event_id),
    );
    expect(record.session_metadata).not.toHaveProperty("trajectory_events");
  });

  it("tells what Atlas Core looks for in the metadata", () => {
    expect(record.session_metadata).toMatchObject({
      session_id: own[0]!.meta.session_id,
      status: "succeeded",
      created_at: "2023-11-14T22:13:21.000001+00:00",
      completed_at: "2023-11-14T22:13:47.000027+00:00",
      learning_key: "counting",
      execution_mode: "coach",
      ground_truth: "3",
      executor_system_prompt: "Count well.",
      simulated: false,
      caller_metadata: '{"team":"blue","level":3}',
    });
    expect(record.steps[0].metadata.attempt_history).toHaveLength(2);
  });

  it("gives a step its own reward, else its session's, and says which; never 0 for none", () => {
    expect(record.steps.map(({ reward }: { reward: object }) => reward)).toMatchObject([
      { score: 0.5, raw: { scope: "step" } },
      { score: 0.8, raw: { scope: "session" } },
    ]);
    const unjudged = JSON.parse(encodeTrainingLine(foldSession(own)));
    expect(unjudged.steps[0].reward.score).toBeNull();
    expect(unjudged.session_reward).toBeNull();
  });

  it("gives a step what came before it", () => {
    expect(record.steps[1].context).toEqual({
      prior_results: { "1": { output_text: "found 2", status: "succeeded", notes: ["Look again."] } },
      prior_results_text: { "1": "found 2" },
    });
  });

  it("repeats no more of earlier outputs than a prompt could hold", () => {
    const { events, emit } = sessionWriter("long");
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
    for (const step_id of [1, 2, 3]) {
      emit("StepStarted", { step_id, description: "" });
      emit("StepEnded", { step_id, status: "succeeded", attempts: 1, output: "x".repeat(200_000) });
    }
    const { steps } = JSON.parse(encodeTrainingLine(foldSession(events)));
    expect(Object.keys(steps[2].context.prior_results)).toEqual(["2"]);
    expect(steps[0].output).toHaveLength(200_000);
  });

  it("survives hostile texts", () => {
    const { events, emit } = sessionWriter("hostile");
    const hostile = "a\u2028b\u2029c\u0085d\ud800e\0f";
    emit("SessionStarted", {
      task: hostile,
      learning_key: "k",
      agent: "x",
      metadata: '{"__proto__":{"polluted":true},"a":"\\ud800\\u0000"}',
    });
    const text = encodeTrainingLine(foldSession(events));
    expect(text).not.toMatch(/[\u2028\u2029\u0085\0\ud800]/);
    const parsed = JSON.parse(text);
    expect(parsed.task).toBe("a\u2028b\u2029c\u0085d\ufffde\ufffdf");
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(parsed.session_metadata.caller_metadata).toBe(
      '{"__proto__":{"polluted":true},"a":"\\ud800\\u0000"}',
    );
  });

  it("says so of a simulated session", () => {
    const { events, emit } = sessionWriter("simulated");
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "x", simulated: true });
    expect(JSON.parse(encodeTrainingLine(foldSession(events))).session_metadata.simulated).toBe(true);
  });
});

describe("training lines together", () => {
  const many = fc.tuple(...Array.from({ length: 6 }, (_, index) => anySession(`any ${index}`)));

  it("have one type at every path, whatever sessions hold", () => {
    fc.assert(
      fc.property(many, (sessions) => {
        const lines = sessions.map((events) => encodeTrainingLine(foldSession(events)));
        expect(mixedPaths([...lines.map((text) => JSON.parse(text)), record])).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it("do not depend on where the facts came in", () => {
    fc.assert(
      fc.property(anySession("any"), ([start, ...rest]) => {
        const facts = rest.filter(({ meta }) => meta.source !== meta.session_id);
        const owned = rest.filter((event) => !facts.includes(event));
        const early = encodeTrainingLine(foldSession([...facts, start!, ...owned]));
        expect(early).toBe(encodeTrainingLine(foldSession([start!, ...owned, ...facts.toReversed()])));
      }),
      { numRuns: 40 },
    );
  });
});
