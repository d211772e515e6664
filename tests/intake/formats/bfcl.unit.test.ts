import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, chatOf, linesOf, metadataOf, scoreOf } from "./chat-of.ts";

const decoded = (...calls: string[]) => ({
  role: "handler_log",
  content: "Successfully decoded model response.",
  model_response_decoded: calls,
});

const calls = [{ cd: '{"folder": "docs"}' }, { ls: "{}" }];
const TOOLS = [
  { type: "function", function: { name: "cd", parameters: { type: "object", properties: {} } } },
];

/** A test of several turns, of a model with tools. */
const called = () => ({
  id: "multi_turn_base_0",
  result: [[calls, "It holds a.txt."], [[{ rm: '{"file": "a.txt"}' }]]],
  input_token_count: [[100, 150], [200]],
  output_token_count: [[20, 10], [5]],
  latency: [[0.5, 0.25], [0.125]],
  reasoning_content: [["I go there first.", ""], [""]],
  inference_log: [
    [{ role: "state_info", class_name: "FileSystem", content: { root: "alex" } }],
    {
      begin_of_turn_query: [{ role: "user", content: "What is in docs?" }],
      step_0: [
        { role: "inference_input", content: { message: "[…]", tools: TOOLS } },
        { role: "assistant", content: calls, reasoning_content: "I go there first." },
        decoded("cd(folder='docs')", "ls()"),
        { role: "tool", content: '{"dir": "docs"}' },
        { role: "tool", content: '{"files": ["a.txt"]}' },
      ],
      step_1: [
        { role: "assistant", content: "It holds a.txt." },
        {
          role: "handler_log",
          content: "Error decoding the model response. Proceed to next turn.",
          error: "no call",
        },
      ],
    },
    [{ role: "state_info", class_name: "FileSystem", content: { root: "docs" } }],
    {
      begin_of_turn_query: [{ role: "user", content: "Remove it." }],
      step_0: [
        { role: "assistant", content: [{ rm: '{"file": "a.txt"}' }] },
        decoded("rm(file='a.txt')"),
        { role: "tool", content: "Error: locked" },
      ],
    },
  ],
});

/** The same of a model that writes its calls as text. */
const written = () => ({
  id: "multi_turn_base_1",
  result: [["[ls()]", "Empty."]],
  inference_log: [
    {
      begin_of_turn_query: [
        { role: "system", content: "Answer with calls." },
        { role: "user", content: "What is here?" },
      ],
      step_0: [{ role: "assistant", content: "[ls()]" }, decoded("ls()"), { role: "tool", content: "[]" }],
      step_1: [
        { role: "assistant", content: "Empty." },
        { role: "handler_log", content: "Model has been forced to quit after 20 steps." },
      ],
    },
  ],
});

describe("bfcl", () => {
  it("keeps everything of its rows", () => {
    const { formats, notes } = expectAccountedFor([called(), written()]);
    expect(formats).toEqual(["bfcl", "bfcl"]);
    expect(notes).toEqual([]);
  });

  it("is the log as a conversation, each call with its result", () => {
    const session = onlySession(called());
    expect(linesOf(session)).toEqual([
      "user: What is in docs?",
      'assistant: cd({"folder": "docs"}) ls({})',
      'tool: {"dir": "docs"}',
      'tool: {"files": ["a.txt"]}',
      "assistant: It holds a.txt.",
      "user: Remove it.",
      'assistant: rm({"file": "a.txt"})',
      "tool: Error: locked",
    ]);
    expect(answersOf(session)).toEqual([
      ["cd", '{"dir": "docs"}'],
      ["ls", '{"files": ["a.txt"]}'],
      ["rm", "Error: locked"],
    ]);
    expect(chatOf(session)[1]?.reasoning_content).toBe("I go there first.");
    expect(JSON.parse(session.started!.tools!)).toEqual(TOOLS);
    expect(metadataOf(session).states).toHaveLength(2);
  });

  it("counts tokens, and names the test", () => {
    const session = onlySession(called());
    expect(session.usage).toMatchObject({ prompt_tokens: 450, completion_tokens: 35, calls: 3 });
    expect(session.started).toMatchObject({
      external_id: "multi_turn_base_0",
      group_id: "bfcl/multi_turn_base_0",
      task: "What is in docs?",
    });
  });

  it("leaves calls that were written as text as they were written", () => {
    const session = onlySession(written());
    expect(linesOf(session)).toEqual([
      "system: Answer with calls.",
      "user: What is here?",
      "assistant: [ls()]",
      "user: []",
      "assistant: Empty.",
    ]);
    expect(session).toMatchObject({
      status: "failed",
      error: "Model has been forced to quit after 20 steps.",
    });
  });

  it("takes the questions that somebody joined to the answers", () => {
    const row = {
      id: "simple_python_3",
      question: [[{ role: "user", content: "How long is the third side?" }]],
      function: [{ name: "hypot", description: "Third side.", parameters: { type: "dict", properties: {} } }],
      result: [{ hypot: '{"a": 3, "b": 4}' }],
      input_token_count: 70,
      output_token_count: 12,
      ground_truth: [{ hypot: { a: [3], b: [4] } }],
    };
    expectAccountedFor([row]);
    const session = onlySession(row);
    expect(linesOf(session)).toEqual([
      "user: How long is the third side?",
      'assistant: hypot({"a": 3, "b": 4})',
    ]);
    expect(session.usage).toMatchObject({ prompt_tokens: 70, completion_tokens: 12 });
    expect(session.started).toMatchObject({ tools_source: "declared" });
    expect(JSON.parse(session.started!.ground_truth!)).toEqual([{ hypot: { a: [3], b: [4] } }]);
  });

  it("reads rows of scores, which say why an answer is wrong", () => {
    const row = {
      id: "multi_turn_base_4",
      model_name: "model-x",
      valid: false,
      error: { error_type: "multi_turn:instance_state_mismatch" },
      prompt: {
        id: "multi_turn_base_4",
        question: [[{ role: "user", content: "List." }], [{ role: "user", content: "Again." }]],
      },
      model_result: ["[ls()]", ["[ls()]", "Nothing new."]],
      possible_answer: [["ls()"], ["ls()"]],
    };
    expectAccountedFor([row]);
    const session = onlySession(row);
    expect(linesOf(session)).toEqual([
      "user: List.",
      "assistant: [ls()]",
      "user: Again.",
      "assistant: [ls()]",
      "assistant: Nothing new.",
    ]);
    expect(scoreOf(session)).toBe(0);
    expect(session.started?.agent).toBe("model-x");
  });

  it("takes what was asked in one turn from the log of its input", () => {
    const row = (message: unknown) => ({
      id: "simple_python_5",
      result: "[hypot(a=3, b=4)]",
      inference_log: [{ role: "inference_input", content: { message, tools: TOOLS } }],
    });
    const values = [
      row([{ role: "user", content: "How long?" }]),
      row("[{'role': 'user', 'content': 'How long?'}]"),
    ];
    const { sessions } = expectAccountedFor(values);
    expect(sessions.map((session) => linesOf(session)[0])).toEqual([
      "user: How long?",
      "user: [{'role': 'user', 'content': 'How long?'}]",
    ]);
    expect(sessions.map((session) => linesOf(session)[1])).toEqual(
      Array(2).fill("assistant: [hypot(a=3, b=4)]"),
    );
    expect(sessions[0]?.started?.tools_source).toBe("declared");
  });

  it("counts together what was counted together, and leaves sums of scores out", () => {
    const row = {
      id: "multi_turn_base_9",
      prompt: [[{ role: "user", content: "List." }], [{ role: "user", content: "Again." }]],
      model_result_raw: [[[{ ls: "{}" }], "Nothing."], [[{ ls: "{}" }]]],
      valid: false,
      input_token_count: 900,
      output_token_count: 30,
    };
    const { notes, sessions } = readValues([{ accuracy: 0.5, correct_count: 1, total_count: 2 }, row]);
    expect(notes).toEqual(["a row sums the scores up: it is left out"]);
    expect(sessions[0]?.usage).toMatchObject({ prompt_tokens: 900, completion_tokens: 30, calls: 1 });
    expect(linesOf(sessions[0]!)).toEqual([
      "user: List.",
      "assistant: ls({})",
      "assistant: Nothing.",
      "user: Again.",
      "assistant: ls({})",
    ]);
    expectAccountedFor([row]);
  });

  it("keeps entries of the log that are none", () => {
    const row = written();
    const odd = { ...row, inference_log: [{ ...row.inference_log[0], step_2: ["the end"], note: "odd" }] };
    expectAccountedFor([odd]);
    expect(metadataOf(onlySession(odd)).states).toEqual(["the end", { note: "odd" }]);
  });

  it("fails where the inference did", () => {
    const row = {
      id: "simple_1",
      question: [[{ role: "user", content: "Hello" }]],
      result: "Error during inference: quota",
    };
    expect(onlySession(row)).toMatchObject({ status: "failed", error: "Error during inference: quota" });
  });

  it("says in a sentence that answers alone are no conversation", () => {
    const values = [
      { id: "multi_turn_base_0", result: ["[ls()]", "[cd()]"] },
      { id: "live_simple_0-0-0", result: "[ls()]" },
    ];
    const reason =
      "neither inference_log nor question says what was asked: that stands in BFCL's own data, and here are answers alone";
    expect(readValues(values).problems).toEqual([reason, reason]);
  });
});
