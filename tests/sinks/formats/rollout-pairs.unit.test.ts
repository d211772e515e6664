import { describe, expect, test } from "vitest";
import { trlPreference } from "../../../sinks/formats/trl-preference.ts";
import type { SessionTrace } from "../../../traces/session-trace.ts";
import { recordedTrace, rollout, run, said, user } from "./format-sessions.ts";

interface Pair {
  prompt: object[];
  chosen: { content: string }[];
  rejected: { content: string }[];
  session_id: string;
  reward: number | null;
  group_id: string | null;
  rejected_session_id: string;
  rejected_reward: number | null;
}

function grouped(traces: readonly SessionTrace[]): { pairs: Pair[]; without: Record<string, number> } {
  const { lines, without } = trlPreference.encodeGroup!(traces);
  return { pairs: lines.map((line) => JSON.parse(line) as Pair), without: { ...without } };
}

const rewarded = (...scores: number[]): SessionTrace[] =>
  scores.map((score, index) => rollout("g", index, score));

/** The same with another task, which is another prompt. */
function asking(trace: SessionTrace, task: string): SessionTrace {
  return { ...trace, started: { ...trace.started!, task } };
}

describe("pairs of a group of rollouts", () => {
  test("are the best against the worst, and the others are counted", () => {
    const traces = rewarded(0.4, 1, 0, 0.7);
    const { pairs, without } = grouped(traces);
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({
      prompt: [{ role: "user", content: "2 + 2?" }],
      chosen: [{ role: "assistant", content: "4" }],
      rejected: [{ role: "assistant", content: "5" }],
      guidance: [],
      chosen_attempt: null,
      rejected_attempt: null,
      step_id: null,
      session_id: traces[1]!.session_id,
      reward: 1,
      group_id: "g",
      rejected_session_id: traces[2]!.session_id,
      rejected_reward: 0,
    });
    expect(without).toEqual({ "neither-best-nor-worst": 2 });
  });

  test.each([
    [[0.3, 0.2], 1],
    [[0.8, 0.7], 1],
    [[0.55, 0.46], 0],
    [[1, 1, 1], 0],
  ] as const)("rewards of %j give %i", (scores, count) => {
    const { pairs, without } = grouped(rewarded(...scores));
    expect(pairs).toHaveLength(count);
    expect(without).toEqual(count === 1 ? {} : { "near-tie": scores.length });
  });

  test("have one prompt", () => {
    const [a, b, c, d] = rewarded(1, 0, 0.9, 0.1) as [SessionTrace, SessionTrace, SessionTrace, SessionTrace];
    const { pairs, without } = grouped([a, asking(b, "3 + 3?"), c, asking(d, "5 + 5?")]);
    expect(pairs.map(({ session_id, rejected_session_id }) => [session_id, rejected_session_id])).toEqual([
      [a.session_id, c.session_id],
    ]);
    expect(without).toEqual({ "other-prompt": 2 });
    const [one, two] = grouped([asking(a, "x"), asking(b, "y"), asking(c, "x"), asking(d, "y")]).pairs;
    expect([one!.reward, one!.rejected_reward, two!.reward, two!.rejected_reward]).toEqual([1, 0.9, 0.1, 0]);
  });

  test("are counted by what stands against them", () => {
    const [a, b] = rewarded(1, 0) as [SessionTrace, SessionTrace];
    expect(grouped([a]).without).toEqual({ "alone-in-group": 1 });
    expect(grouped([a, { ...b, reward: null }]).without).toEqual({ "alone-in-group": 1, "no-reward": 1 });
    expect(grouped([a, { ...b, final_answer: a.final_answer }]).without).toEqual({ "same-answer": 2 });
    expect(grouped([a, { ...b, final_answer: null }]).without).toEqual({
      "alone-in-group": 1,
      "nothing-answered": 1,
    });
  });

  test("stand beside those within a session, with the same columns", () => {
    const [first, second] = [run("one"), run("two")].map((trace, index) => ({
      ...trace,
      started: { ...trace.started!, group_id: "g" },
      reward: { ...trace.reward!, score: index },
    })) as [SessionTrace, SessionTrace];
    const { pairs } = grouped([first, second]);
    expect(
      pairs.slice(0, 2).map(({ rejected_session_id, session_id }) => rejected_session_id === session_id),
    ).toEqual([true, true]);
    expect(new Set(pairs.map((pair) => Object.keys(pair).join())).size).toBe(1);
    const { pairs: own } = grouped([run("alone")]);
    expect(own).toMatchObject([{ group_id: null, rejected_reward: null }]);
    expect(grouped([recordedTrace([user("Hi"), said("Hello")])]).without).toEqual({
      "no-rejected-attempt": 1,
    });
  });
});
