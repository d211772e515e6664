import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, chatOf, linesOf, metadataOf } from "./chat-of.ts";

const call = (id: string, name: string, args: object) => ({
  id,
  type: "function",
  function: { name, arguments: JSON.stringify(args) },
});

const functionCalls = () => ({
  environment: "swe_main",
  history: [
    { role: "system", content: "You work in a shell.", agent: "main", message_type: "system_prompt" },
    {
      role: "user",
      content: [{ type: "text", text: "Fix the parser.", cache_control: { type: "ephemeral" } }],
      agent: "main",
      message_type: "observation",
      tags: ["keep_output"],
    },
    {
      role: "assistant",
      content: "I look for the parser.",
      thought: "I look for the parser.",
      action: "find_file parser.py",
      agent: "main",
      tool_calls: [call("c1", "find_file", { name: "parser.py" })],
      thinking_blocks: [{ type: "thinking", thinking: "Where could it be?", signature: "c2ln" }],
      message_type: "action",
    },
    {
      role: "tool",
      content: "src/parser.py\n(Open file: n/a)",
      agent: "main",
      message_type: "observation",
      tool_call_ids: ["c1"],
      is_demo: false,
    },
    {
      role: "assistant",
      content: "",
      thought: "",
      action: "submit",
      agent: "main",
      tool_calls: [call("c2", "submit", {})],
      thinking_blocks: null,
      message_type: "action",
    },
    { role: "tool", content: "diff --git a/src/parser.py", agent: "main", tool_call_ids: ["c2"] },
  ],
  trajectory: [
    {
      action: "ls missing",
      observation: "",
      response: "Oops, two commands at once.",
      thought: "Oops",
      state: {},
      execution_time: 0,
      query: [{ role: "system", content: "You work in a shell." }],
      extra_info: {},
    },
    {
      action: "find_file parser.py",
      observation: "src/parser.py",
      response: "I look for the parser.",
      thought: "I look for the parser.",
      state: { open_file: "n/a", working_dir: "/repo" },
      execution_time: 0.25,
      query: [
        { role: "system", content: "You work in a shell." },
        { role: "user", content: [{ type: "text", text: "Fix the parser." }] },
      ],
      extra_info: {},
    },
    {
      action: "submit",
      observation: "diff --git a/src/parser.py",
      response: "",
      thought: "",
      state: { open_file: "n/a", working_dir: "/repo" },
      execution_time: 1.5,
      query: [],
      extra_info: {},
    },
  ],
  info: {
    exit_status: "submitted",
    submission: "diff --git a/src/parser.py",
    swe_agent_version: "1.1.0",
    model_stats: { instance_cost: 0.125, tokens_sent: 5000, tokens_received: 120, api_calls: 2 },
  },
  replay_config: JSON.stringify({
    agent: { model: { name: "model-x" } },
    problem_statement: { id: "parser__42", text: "Fix the parser." },
  }),
});

const WORDS = { type: "the kind of a block is its place in the message" };

describe("swe-agent", () => {
  it("keeps everything of a run", () => {
    const { formats, notes } = expectAccountedFor([functionCalls()], WORDS);
    expect(formats).toEqual(["swe-agent"]);
    expect(notes).toEqual([]);
  });

  it("is the history, with calls paired and thoughts apart", () => {
    const session = onlySession(functionCalls());
    expect(answersOf(session)).toEqual([
      ["find_file", "src/parser.py\n(Open file: n/a)"],
      ["submit", "diff --git a/src/parser.py"],
    ]);
    const [, , answer, result] = chatOf(session);
    expect(answer).toMatchObject({
      content: "I look for the parser.",
      reasoning_content: "Where could it be?",
      step: { execution_time: 0.25, state: { working_dir: "/repo" } },
    });
    expect(answer).not.toHaveProperty("thought");
    expect(result).toMatchObject({ role: "tool", tool_call_id: "c1" });
    expect(metadataOf(session).trajectory).toMatchObject([{ response: "Oops, two commands at once." }]);
  });

  it("knows what it was for, how it ended and what it took", () => {
    const session = onlySession(functionCalls());
    expect(session.started).toMatchObject({
      task: "Fix the parser.",
      external_id: "parser__42",
      agent: "model-x",
      group_id: "swe-agent/parser__42",
      executor_system_prompt: "You work in a shell.",
    });
    expect(session).toMatchObject({ status: "succeeded", cost: 0.125, error: null });
    expect(session.usage).toMatchObject({ prompt_tokens: 5000, completion_tokens: 120 });
  });

  it.each([
    ["submitted", "succeeded", null],
    ["submitted (exit_cost)", "failed", "ended by submitted (exit_cost)"],
    ["exit_context", "failed", "ended by exit_context"],
    [null, "cancelled", null],
  ])("ends with %s as %s", (exit_status, status, error) => {
    const run = { ...functionCalls(), info: { exit_status, model_stats: { api_calls: 0, tokens_sent: 0 } } };
    expect(onlySession(run)).toMatchObject({ status, error, usage: null, cost: null });
  });

  it("leaves what the model wrote as text as it wrote it", () => {
    const run = {
      history: [
        { role: "system", content: "Write one command in a block.", agent: "primary" },
        { role: "user", content: "DEMONSTRATION: ls", agent: "primary", is_demo: true },
        { role: "user", content: "Find the flag.", agent: "primary" },
        {
          role: "assistant",
          content: "I look around.\n```\nls\n```",
          thought: "I look around.\n",
          action: "ls\n",
          agent: "primary",
        },
        { role: "user", content: "flag.txt", agent: "primary" },
      ],
      trajectory: [],
    };
    expectAccountedFor([run]);
    const session = onlySession(run);
    expect(session.started?.task).toBe("Find the flag.");
    expect(linesOf(session).slice(3)).toEqual(["assistant: I look around.\n```\nls\n```", "user: flag.txt"]);
  });

  it("keeps the answers of a demonstration out of the agent's mouth", () => {
    const run = {
      history: [
        { role: "system", content: "You work in a shell.", agent: "main" },
        { role: "user", content: "An example.", agent: "main", is_demo: true },
        { role: "assistant", content: "I would run ls.", agent: "main", is_demo: true, action: "ls" },
        { role: "user", content: "Fix the parser.", agent: "main" },
        { role: "assistant", content: "Done.", thought: "It was a typo.", agent: "main", action: "submit" },
      ],
    };
    expectAccountedFor([run]);
    const session = onlySession(run);
    expect(linesOf(session)).toEqual([
      "system: You work in a shell.",
      "user: Fix the parser.",
      "assistant: Done.",
    ]);
    expect(chatOf(session)[1]?.demonstration).toMatchObject([{ content: "An example." }, { action: "ls" }]);
    expect(chatOf(session)[2]?.reasoning_content).toBe("It was a typo.");
  });

  it("reads a trajectory without a history", () => {
    const [, ...steps] = functionCalls().trajectory;
    const asked = { trajectory: steps, info: { exit_status: "submitted" } };
    expectAccountedFor([asked], WORDS);
    expect(linesOf(onlySession(asked))).toEqual([
      "system: You work in a shell.",
      "user: Fix the parser.",
      "assistant: I look for the parser.",
      "user: src/parser.py",
      "assistant: ```\nsubmit\n```",
      "user: diff --git a/src/parser.py",
    ]);
    const unasked = {
      environment: "swe_main",
      trajectory: steps.map(({ query: _query, ...step }) => step),
    };
    const { notes, sessions } = expectAccountedFor([unasked]);
    expect(sessions[0]?.started?.task).toBe("swe_main");
    expect(notes).toEqual([
      "the prompt was not recorded: the task is named, and the conversation begins with the answer",
    ]);
  });

  it("tells where the model was shown something else than the history", () => {
    const run = functionCalls();
    run.trajectory[2]!.query = [{ role: "user", content: "Old output was left out" }];
    expect(readValues([run]).notes).toEqual([
      "trajectory has in `query` what the model was shown of the history at each step: it is left out",
    ]);
  });

  it("takes each attempt of an agent that tries again for a rollout", () => {
    const { environment, replay_config, ...attempt } = functionCalls();
    const again = { ...attempt, info: { ...attempt.info, exit_status: "exit_cost" } };
    const run = {
      environment,
      replay_config,
      attempts: [attempt, again, { history: [], trajectory: [] }],
      ...attempt,
      info: { best_attempt_idx: 0, submission: "diff" },
    };
    const { sessions, notes } = expectAccountedFor([run], WORDS);
    expect(sessions.map(({ started, status }) => [started?.rollout, started?.group_id, status])).toEqual([
      [0, "swe-agent/parser__42", "succeeded"],
      [1, "swe-agent/parser__42", "failed"],
    ]);
    expect(notes).toEqual([
      "attempts[2]: history and trajectory are empty: the agent said nothing: this attempt is left out",
    ]);
  });

  it("says in a sentence why there is no conversation", () => {
    const nobody = {
      history: [
        { content: "Hello", agent: "main" },
        { role: "system", agent: "main" },
      ],
    };
    const values = [{ trajectory: [], info: { exit_status: null } }, nobody];
    expect(values.map((value) => readValues([value]).problems)).toEqual([
      ["history and trajectory are empty: the agent said nothing"],
      ["history[0].role is missing"],
    ]);
  });
});
