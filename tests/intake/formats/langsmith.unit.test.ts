import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { chatsOf, eventsOfType } from "./trace-chats.ts";

const ROOT = "aaaaaaaa-0000-4000-8000-000000000001";
const id = (n: number): string => `aaaaaaaa-0000-4000-8000-00000000000${n}`;
const at = (second: number): string => `2025-02-01T09:00:0${second}.000000+00:00`;
const order = (n: number): string => `20250201T09000${n}000000Z${id(n)}`;

const run = (n: number, run_type: string, more: Record<string, unknown>) => ({
  id: id(n),
  name: run_type,
  run_type,
  trace_id: ROOT,
  parent_run_id: n === 1 ? null : ROOT,
  dotted_order: n === 1 ? order(1) : `${order(1)}.${order(n)}`,
  start_time: at(n),
  end_time: at(n + 1),
  status: "success",
  error: null,
  ...more,
});

const lc = (kind: string, kwargs: Record<string, unknown>) => ({
  lc: 1,
  type: "constructor",
  id: ["langchain", "schema", "messages", kind],
  kwargs,
});
const call = { id: "w1", name: "stock", args: { item: "rope" }, type: "tool_call" };

const root = run(1, "chain", {
  name: "shop-clerk",
  end_time: at(9),
  inputs: { input: "Is there rope?" },
  outputs: { output: "Yes, 40 m." },
  tags: ["shop"],
  session_name: "shop-prod",
  reference_example_id: "example-5",
  extra: { metadata: { thread_id: "th-2" }, runtime: { sdk: "langsmith-py" } },
  feedback_stats: { correctness: { n: 2, avg: 0.5 }, note: { n: 1, avg: null, comments: ["fine"] } },
});
const first = run(2, "llm", {
  inputs: {
    messages: [
      [lc("SystemMessage", { content: "You sell." }), lc("HumanMessage", { content: "Is there rope?" })],
    ],
  },
  outputs: {
    generations: [
      [
        {
          text: "",
          generation_info: { finish_reason: "tool_calls" },
          message: lc("AIMessage", {
            content: "",
            tool_calls: [call],
            usage_metadata: { input_tokens: 21, output_tokens: 7, total_tokens: 28 },
          }),
        },
      ],
    ],
    llm_output: { model_name: "m-small" },
  },
  extra: {
    invocation_params: {
      model: "m-small",
      tools: [{ type: "function", function: { name: "stock", parameters: {} } }],
    },
    metadata: { ls_model_name: "m-small" },
  },
  total_cost: "0.002",
});
const tool = run(4, "tool", {
  name: "stock",
  inputs: { input: "{'item': 'rope'}" },
  outputs: { output: lc("ToolMessage", { content: "40 m", tool_call_id: "w1", status: "success" }) },
});
const second = run(6, "llm", {
  inputs: {
    messages: [
      [
        lc("SystemMessage", { content: "You sell." }),
        lc("HumanMessage", { content: "Is there rope?" }),
        lc("AIMessage", { content: "", tool_calls: [call] }),
        lc("ToolMessage", { content: "40 m", tool_call_id: "w1" }),
      ],
    ],
  },
  outputs: { generations: [[{ text: "Yes, 40 m.", message: lc("AIMessage", { content: "Yes, 40 m." }) }]] },
  extra: { metadata: { ls_model_name: "m-small" } },
  prompt_tokens: 33,
  completion_tokens: 6,
  total_tokens: 39,
});
const chat = [
  "system: You sell.",
  "user: Is there rope?",
  'assistant: stock({"item":"rope"})',
  "tool to w1: 40 m",
  "assistant: Yes, 40 m.",
];
const LEAVES = {
  type: "what it is",
  total_cost: "the cost",
  "0": "the class of a message",
  "1": "",
  "2": "",
  "3": "",
  lc: "",
};

describe("runs of a trace", () => {
  const rows = [second, tool, root, first];

  test("are a session, whichever row they stand in, and nothing of them is lost", () => {
    const read = expectAccountedFor(rows, LEAVES);
    expect(read.formats).toEqual(["langsmith"]);
    expect(chatsOf(...rows)).toEqual([chat]);
    expect(eventsOfType(read, "SessionStarted")).toMatchObject([
      {
        agent: "shop-clerk",
        external_id: ROOT,
        tags: ["shop"],
        group_id: "example-5",
        tools_source: "declared",
      },
    ]);
    expect(eventsOfType(read, "SessionEnded")).toMatchObject([
      {
        usage: { prompt_tokens: 54, completion_tokens: 13, total_tokens: 67, calls: 2 },
        cost: 0.002,
        duration_us: 8e6,
      },
    ]);
    expect(eventsOfType(read, "ToolCallEnded").map(({ output }) => output)).toEqual(["40 m"]);
  });

  test("feedback is a judgement", () => {
    expect(eventsOfType(readValues(rows), "JudgementMade")).toMatchObject([
      { judge: "correctness", score: 0.5 },
    ]);
    const given = { ...root, feedback: [{ key: "helpful", score: 1, comment: "Short and right." }] };
    expect(eventsOfType(readValues([given, first]), "JudgementMade")).toMatchObject([
      { judge: "helpful", score: 1, rationale: "Short and right." },
      { judge: "correctness" },
    ]);
  });

  test("may stand within each other, without the ids of trace and parent", () => {
    const bare = ({ trace_id: _t, parent_run_id: _p, dotted_order: _d, ...rest }: typeof root) => rest;
    const nested = {
      ...bare(root),
      child_runs: [bare(first), bare(tool), { ...bare(second), child_runs: [] }],
    };
    expectAccountedFor([nested], LEAVES);
    expect(chatsOf(nested)).toEqual([chat]);
    expect(chatsOf({ runs: [root, first, tool, second], cursors: {} })).toEqual([chat]);
  });

  test("each root is a session of its own", () => {
    const other = run(7, "llm", {
      trace_id: id(7),
      parent_run_id: null,
      dotted_order: order(7),
      inputs: { messages: [{ role: "user", content: "And twine?" }] },
      outputs: { choices: [{ index: 0, message: { role: "assistant", content: "No." } }] },
    });
    expect(chatsOf(...rows, other)).toEqual([chat, ["user: And twine?", "assistant: No."]]);
  });

  test("an error is the session's", () => {
    const failed = { ...first, outputs: null, status: "error", error: "RateLimitError()" };
    const [ended] = eventsOfType(readValues([failed]), "SessionEnded");
    expect(ended).toMatchObject({ status: "failed", error: "RateLimitError()" });
  });
});

describe("batches as SDKs send them", () => {
  const message = { role: "assistant", content: "It is noon.", refusal: null };
  const begun = {
    id: ROOT,
    name: "ChatModel",
    run_type: "llm",
    start_time: 1_738_400_400_000,
    inputs: { model: "m-small", messages: [{ role: "user", content: "What time is it?" }] },
    child_runs: [],
    trace_id: ROOT,
    dotted_order: order(1),
    tags: [],
  };
  const patch = {
    end_time: 1_738_400_402_000,
    outputs: {
      model: "m-small-0101",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage_metadata: {
        input_tokens: 12,
        output_tokens: 5,
        total_tokens: 17,
        input_token_details: { cache_read: 3 },
        output_token_details: { reasoning: 2 },
      },
    },
    trace_id: ROOT,
    dotted_order: order(1),
  };

  test("what was posted and patched is one run", () => {
    const batch = { post: [begun], patch: [patch] };
    const read = expectAccountedFor([batch]);
    expect(chatsOf(batch)).toEqual([["user: What time is it?", "assistant: It is noon."]]);
    expect(eventsOfType(read, "SessionStarted")[0]!.agent).toBe("m-small-0101");
    expect(eventsOfType(read, "SessionEnded")[0]).toMatchObject({
      usage: {
        prompt_tokens: 12,
        completion_tokens: 5,
        total_tokens: 17,
        reasoning_tokens: 2,
        cached_tokens: 3,
      },
      duration_us: 2_000_000,
    });
  });

  test("also in batches of their own, or in lines that are lists of runs", () => {
    const expected = [["user: What time is it?", "assistant: It is noon."]];
    expect(chatsOf({ post: [begun] }, { patch: [patch] })).toEqual(expected);
    expect(chatsOf([{ ...begun, ...patch }])).toEqual(expected);
  });
});

test("runs that say nothing are one sentence, or are counted", () => {
  const silent = run(1, "chain", { inputs: {}, outputs: null });
  expect(readValues([silent]).problems).toEqual([
    "none of its runs (1) tells what a model was sent and answered: no inputs, no outputs",
  ]);
  const other = { ...first, trace_id: id(2), parent_run_id: null, dotted_order: order(2) };
  const read = readValues([silent, other]);
  expect(read.sessions).toHaveLength(1);
  expect(read.notes).toEqual(["traces without what a model was sent and answered: 1 of 2"]);
});
