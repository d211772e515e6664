import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, linesOf, metadataOf, scoreOf } from "./chat-of.ts";

const act = (action: string, args: object, thought = "") => ({
  action,
  ...args,
  thought,
  is_confirmed: "confirmed",
});
const seen = (observation: string, content: string) => ({ observation, content, exit_code: 0 });

const flat = () => [
  { action: "message", content: "Fix the bug.", images_urls: null, wait_for_response: false },
  act("run", { command: "ls" }, "I look around."),
  seen("run", "a.py"),
  { action: "message", content: "Shall I go on?", wait_for_response: true },
  { action: "message", content: "Please continue.", wait_for_response: false },
  act("run_ipython", { code: "print(1)" }),
  seen("run_ipython", "1"),
  { action: "finish", outputs: { done: true }, thought: "The bug is fixed." },
];

const row = (extra: object = {}) => ({
  instance_id: "parser__42",
  instance: { repo: "parser", patch: "diff --git a/gold" },
  instruction: "Fix the bug.",
  metadata: {
    agent_class: "CodeActAgent",
    llm_config: { model: "model-x", temperature: 0.5 },
    max_iterations: 30,
    dataset: "bench/verified",
  },
  history: flat() as unknown[],
  metrics: {
    accumulated_cost: 0.25,
    accumulated_token_usage: { prompt_tokens: 900, completion_tokens: 40, cache_read_tokens: 600 },
  },
  error: null as string | null,
  test_result: { git_patch: "diff --git a/own", report: { resolved: false, test_timeout: true } } as unknown,
  ...extra,
});

describe("openhands-eval", () => {
  it("keeps everything of its rows", () => {
    const { formats, notes } = expectAccountedFor([row(), row({ instance_id: "parser__43" })]);
    expect(formats).toEqual(["openhands-eval", "openhands-eval"]);
    expect(notes).toEqual([]);
  });

  it("pairs each action with what was observed of it", () => {
    const session = onlySession(row());
    expect(linesOf(session)).toEqual([
      "user: Fix the bug.",
      'assistant: I look around. run({"command":"ls"})',
      "tool: a.py",
      "assistant: Shall I go on?",
      "user: Please continue.",
      'assistant: run_ipython({"code":"print(1)"})',
      "tool: 1",
      'assistant: The bug is fixed. finish({"outputs":{"done":true}})',
    ]);
    expect(session.final_answer).toBe("The bug is fixed.");
  });

  it("reads the pairs of older files, and puts the instruction before them", () => {
    const pairs = row({
      history: [
        [act("run", { command: "ls" }, "I look around."), seen("run", "a.py")],
        [act("browse", { url: "http://localhost" }), seen("error", "refused")],
        [
          { action: "finish", outputs: {}, thought: "Done." },
          { observation: "null", content: "" },
        ],
      ],
    });
    expectAccountedFor([pairs]);
    const session = onlySession(pairs);
    expect(linesOf(session)[0]).toBe("user: Fix the bug.");
    expect(answersOf(session)).toEqual([
      ["run", "a.py"],
      ["browse", "refused"],
      ["finish", "no result recorded"],
    ]);
  });

  it("knows which task it was, how it went and what it took", () => {
    const session = onlySession(row());
    expect(session.started).toMatchObject({
      external_id: "parser__42",
      group_id: "bench/verified/parser__42",
      agent: "model-x",
      ground_truth: "diff --git a/gold",
    });
    expect(session).toMatchObject({ status: "succeeded", cost: 0.25 });
    expect(session.usage).toMatchObject({ prompt_tokens: 900, completion_tokens: 40, cached_tokens: 600 });
    expect(scoreOf(session)).toBe(0);
    expect(metadataOf(session)).toMatchObject({ test_result: { git_patch: "diff --git a/own" } });
  });

  it.each([
    [{ test_result: true }, 1],
    [{ test_result: { result: { score: 0.5 } } }, 0.5],
    [{ test_result: { git_patch: "diff" }, report: { resolved: true } }, 1],
    [{ test_result: null, success: false }, 0],
    [{ test_result: "passed?" }, undefined],
  ])("takes %j for the reward %s", (extra, reward) => {
    expect(scoreOf(onlySession(row(extra)))).toBe(reward);
  });

  it("names issues that were resolved", () => {
    const { instance_id: _id, ...rest } = row({
      issue: { owner: "ada", repo: "parser", number: 7, title: "Bug" },
      success: true,
      test_result: null,
    });
    expectAccountedFor([rest]);
    expect(onlySession(rest).started).toMatchObject({ external_id: "ada/parser#7" });
  });

  it("keeps items of the history that are no events", () => {
    const odd = row({ history: [...flat(), "the end", { action: "run", command: "ls", thought: ["hm"] }] });
    expectAccountedFor([odd]);
    expect(metadataOf(onlySession(odd)).events).toEqual([{ value: "the end" }]);
  });

  it("fails where the run did, and tells where nothing was said", () => {
    expect(onlySession(row({ error: "AgentStuckInLoopError" }))).toMatchObject({
      status: "failed",
      error: "AgentStuckInLoopError",
    });
    const values = [row({ history: null, error: "Timeout" }), row({ history: [] })];
    expect(readValues(values).problems).toEqual([
      "history is missing: the run broke down, as error says",
      "history is empty",
    ]);
  });
});

const completion = (extra: object = {}) => ({
  messages: [
    {
      role: "system",
      content: [{ type: "text", text: "You fix bugs.", cache_control: { type: "ephemeral" } }],
    },
    { role: "user", content: "Fix the bug." },
  ],
  response: {
    id: "r1",
    model: "model-x",
    choices: [
      {
        finish_reason: "tool_calls",
        message: {
          role: "assistant",
          content: "I look around.",
          tool_calls: [
            { id: "c1", type: "function", function: { name: "run", arguments: '{"command":"ls"}' } },
          ],
        },
      },
    ],
    usage: { prompt_tokens: 300, completion_tokens: 25 },
  },
  args: [],
  kwargs: {
    tools: [{ type: "function", function: { name: "run", parameters: { type: "object" } } }],
    temperature: 0.5,
  },
  timestamp: 1743498000.5,
  cost: 0.125,
  ...extra,
});

describe("openhands-completion", () => {
  it("is what was asked and the answer, with tools, usage, cost and time", () => {
    const { formats } = expectAccountedFor([completion()], { type: "the kind of a part" });
    expect(formats).toEqual(["openhands-completion"]);
    const session = onlySession(completion());
    expect(linesOf(session)).toEqual([
      "system: You fix bugs.",
      "user: Fix the bug.",
      'assistant: I look around. run({"command":"ls"})',
    ]);
    expect(session).toMatchObject({ cost: 0.125, usage: { prompt_tokens: 300 } });
    expect(session.started).toMatchObject({ agent: "model-x", tools_source: "declared" });
    expect(session.completed_at).toBe(1_743_498_000_500_000);
  });

  it("prefers the call with tools where the model had to write calls as text", () => {
    const { messages, response } = completion();
    const text = { ...response, choices: [{ message: { role: "assistant", content: "<function=run>ls" } }] };
    const mocked = completion({ response: text, fncall_messages: messages, fncall_response: response });
    expectAccountedFor([mocked], { type: "the kind of a part" });
    expect(answersOf(onlySession(mocked))).toEqual([["run", "no result recorded"]]);
  });

  it("says in a sentence why there is no conversation", () => {
    const values = [completion({ response: { error: "quota" } }), completion({ messages: [] })];
    expect(readValues(values).problems).toEqual(["response has no message", "messages is empty"]);
  });
});
