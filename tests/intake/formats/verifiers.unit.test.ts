import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, linesOf, metadataOf, scoreOf } from "./chat-of.ts";

const ASKED = { role: "user", content: "Add 1 to 5." };
const CALLED = {
  role: "assistant",
  content: null,
  tool_calls: [
    { id: "c1", type: "function", function: { name: "python", arguments: '{"code":"sum(range(6))"}' } },
  ],
};
const SEEN = { role: "tool", content: "15", tool_call_id: "c1" };
const SAID = { role: "assistant", content: "It is 15." };
const TOOL = { name: "python", description: "Runs code.", parameters: { type: "object", properties: {} } };

const step = (prompt: object[], completion: object, completion_tokens: number) => ({
  prompt,
  completion: [completion],
  response: { id: "r", model: "model-x", usage: { prompt_tokens: 100, completion_tokens } },
  tokens: { prompt_ids: [1, 2], completion_logprobs: [-0.25] },
  reward: null,
  is_truncated: false,
  trajectory_id: "t1",
});

const rollout = (extra: object = {}) => ({
  example_id: 3,
  prompt: [ASKED],
  completion: [CALLED, SEEN, SAID],
  reward: 1.0,
  timing: {
    start_time: 1751700100.5,
    generation: { start: 1751700100.5, end: 1751700103.5, duration: 3.0 },
    scoring: { start: 1751700103.5, end: 1751700104.0, duration: 0.5 },
    model: {
      spans: [
        { start: 1751700100.5, end: 1751700101.5 },
        { start: 1751700102.0, end: 1751700103.0 },
      ],
    },
  },
  is_completed: true,
  is_truncated: false,
  stop_condition: "no_tools_called",
  metrics: { correct_answer: 1.0, format: 0.5 },
  answer: "15",
  info: { difficulty: "easy" },
  error: null as unknown,
  tool_defs: [TOOL],
  trajectory: [step([ASKED], CALLED, 20), step([ASKED, CALLED, SEEN], SAID, 8)],
  token_usage: { input_tokens: 200.0, output_tokens: 28.0 },
  env_seed: 7,
  ...extra,
});

describe("verifiers", () => {
  it("keeps everything of its rollouts", () => {
    const { formats, notes } = expectAccountedFor([rollout(), rollout({ reward: 0.25, env_seed: 8 })]);
    expect(formats).toEqual(["verifiers", "verifiers"]);
    expect(notes).toEqual([]);
  });

  it("joins prompt and completion, each call with its result", () => {
    const session = onlySession(rollout());
    expect(linesOf(session)).toEqual([
      "user: Add 1 to 5.",
      'assistant: python({"code":"sum(range(6))"})',
      "tool: 15",
      "assistant: It is 15.",
    ]);
    expect(answersOf(session)).toEqual([["python", "15"]]);
    expect(JSON.parse(session.started!.tools!)).toEqual([{ type: "function", function: TOOL }]);
    expect(metadataOf(session).trajectory).toMatchObject([{ tokens: { prompt_ids: [1, 2] } }, {}]);
    expect(session.started?.metadata).not.toContain("It is 15.");
  });

  it("knows what is right, how long it took and what it took", () => {
    const session = onlySession(rollout());
    expect(session.started).toMatchObject({ ground_truth: "15", agent: "model-x", task: "Add 1 to 5." });
    expect(session.usage).toMatchObject({ prompt_tokens: 200, completion_tokens: 28, calls: 2 });
    expect(session.created_at).toBe(1_751_700_100_500_000);
    expect(session.completed_at).toBe(1_751_700_103_500_000);
    expect(session.steps[0]?.started_at).toBe(1_751_700_101_500_000);
  });

  it("takes the rollouts of one example for a group, and other examples of its number for none", () => {
    const other = rollout({ prompt: [{ role: "user", content: "Name a prime." }] });
    const { sessions } = readValues([rollout(), rollout({ env_seed: 9 }), other]);
    const groups = sessions.map(({ started }) => started?.group_id);
    expect(groups[0]).toMatch(/^verifiers\/3\//);
    expect(groups[1]).toBe(groups[0]);
    expect(groups[2]).not.toBe(groups[0]);
  });

  it("takes the names that a rollout brings", () => {
    const named = rollout({ rollout_id: "r-1", group_id: "g-1" });
    expectAccountedFor([named]);
    expect(onlySession(named).started).toMatchObject({ external_id: "r-1", group_id: "g-1" });
  });

  it("keeps a reward beyond the scale as it is, and tells", () => {
    const { sessions, notes } = readValues([
      rollout({ reward: 2.5 }),
      rollout({ reward: -1 }),
      rollout({ reward: "?" }),
    ]);
    expect(sessions.map(scoreOf)).toEqual([undefined, undefined, undefined]);
    expect(metadataOf(sessions[0]!).recorded_reward).toBe(2.5);
    expect(notes[0]).toBe("reward is not a number: it is kept with the metadata");
    expect(notes[1]).toContain("reward lies outside 0 to 1");
  });

  it("fails where the environment did, or where a limit cut it off", () => {
    const error = {
      error: "SandboxError",
      error_chain_repr: "SandboxError()",
      error_chain_str: "SandboxError: gone",
    };
    const values = [
      rollout({ error, completion: null, trajectory: [] }),
      rollout({ error: "ValueError('x')" }),
      rollout({ is_truncated: true, stop_condition: "max_turns_reached" }),
    ];
    expectAccountedFor(values);
    expect(readValues(values).sessions.map(({ status, error: said }) => [status, said])).toEqual([
      ["failed", "SandboxError: gone"],
      ["failed", "ValueError('x')"],
      ["failed", "cut off by max_turns_reached"],
    ]);
  });

  it("reads texts, and calls that were written as JSON text", () => {
    const text = rollout({
      prompt: "2 + 2 =",
      completion: " 4",
      trajectory: undefined,
      token_usage: undefined,
    });
    expect(linesOf(onlySession(text))).toEqual(["user: 2 + 2 =", "assistant:  4"]);
    const older = {
      prompt: [ASKED],
      completion: [{ ...CALLED, tool_calls: [JSON.stringify(CALLED.tool_calls[0])] }, SEEN, SAID],
      reward: 1,
      task: "add",
      generation_ms: 250.5,
      info: JSON.stringify({ oai_tools: [{ type: "function", function: TOOL }] }),
      answer: [15],
    };
    expectAccountedFor([older]);
    const session = onlySession(older);
    expect(answersOf(session)).toEqual([["python", "15"]]);
    expect(session.started).toMatchObject({
      tools_source: "declared",
      ground_truth: "[15]",
      task: "Add 1 to 5.",
    });
  });

  it("keeps what has not the shape that it should have", () => {
    const odd = rollout({
      trajectory: "later",
      timing: "soon",
      tool_defs: 7,
      token_usage: "many",
      answer: null,
    });
    expectAccountedFor([odd]);
    expect(metadataOf(onlySession(odd))).toMatchObject({ trajectory: "later", tool_defs: 7 });
  });

  it("keeps what the model was shown of another branch", () => {
    const summary = { role: "user", content: "In short: 1 to 5." };
    const branched = rollout({ trajectory: [step([summary], SAID, 8)] });
    expectAccountedFor([branched]);
    expect(metadataOf(onlySession(branched)).trajectory).toMatchObject([{ prompt: [summary] }]);
  });

  it("says in a sentence why there is no conversation", () => {
    const values = [
      { env_id: "add", model: "model-x", num_examples: 5, rollouts_per_example: 3, avg_reward: 0.5 },
      rollout({ prompt: [], completion: [] }),
      rollout({ completion: [{ content: "?" }] }),
    ];
    expect(values.map((value) => readValues([value]).problems)).toEqual([
      ["it is the metadata of a run: the rollouts stand in a file beside it, such as results.jsonl"],
      ["prompt and completion are empty"],
      ["completion[0].role is missing"],
    ]);
  });
});
