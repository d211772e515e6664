import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { chatsOf, eventsOfType } from "./trace-chats.ts";

const TRACE = "7f".repeat(16);
const at = (seconds: number): string => `2025-05-04T10:00:0${seconds}.000Z`;

const observation = (id: string, type: string, times: [number, number], more: Record<string, unknown>) => ({
  id,
  traceId: TRACE,
  type,
  startTime: at(times[0]),
  endTime: at(times[1]),
  projectId: "p-kiln",
  parentObservationId: "root",
  name: id,
  level: "DEFAULT",
  statusMessage: null,
  metadata: "{}",
  usageDetails: {},
  costDetails: {},
  ...more,
});

const call = { id: "k1", type: "function", function: { name: "kiln_state", arguments: '{"kiln":2}' } };
const question = [
  { role: "system", content: "You watch the kilns." },
  { role: "user", content: "How hot is kiln 2?" },
];
const root = observation("root", "AGENT", [0, 8], { parentObservationId: null, name: "kiln-watch" });
const first = observation("gen-1", "GENERATION", [1, 2], {
  input: JSON.stringify({
    messages: question,
    tools: [{ type: "function", function: { name: "kiln_state" } }],
  }),
  output: JSON.stringify({ role: "assistant", content: null, tool_calls: [call] }),
  model: "clay-1",
  usageDetails: { input: 30, output: 8, total: 38, "prompt_details.cache_read": 4 },
  costDetails: { input: 0.001, output: 0.002, total: 0.003 },
});
const run = observation("kiln_state", "TOOL", [3, 4], {
  input: '{"kiln":2}',
  output: '{"celsius":1140,"trend":"rising"}',
  metadata: JSON.stringify({ attributes: { "tool.version": "2" }, scope: { name: "kiln" } }),
});
const second = observation("gen-2", "GENERATION", [5, 6], {
  input: JSON.stringify([
    ...question,
    { role: "assistant", content: "", tool_calls: [call] },
    { role: "tool", tool_call_id: "k1", content: '{"celsius":1140,"trend":"rising"}' },
  ]),
  output: '"It is at 1140 degrees and rising."',
  model: "clay-1",
  usageDetails: { input: 60, output: 11, total: 71 },
  costDetails: { total: 0.004 },
  modelParameters: { temperature: 0.3 },
});
const scores = [
  {
    id: "s1",
    traceId: TRACE,
    name: "correct",
    value: 0.9,
    comment: "Right kiln.",
    dataType: "NUMERIC",
    observationId: null,
  },
  {
    id: "s2",
    traceId: TRACE,
    name: "tone",
    value: 0,
    stringValue: "dry",
    comment: "Short.",
    dataType: "CATEGORICAL",
    observationId: null,
  },
  {
    id: "s3",
    traceId: TRACE,
    name: "grounded",
    value: 1,
    comment: null,
    dataType: "BOOLEAN",
    observationId: "gen-2",
  },
];
const trace = {
  id: TRACE,
  projectId: "p-kiln",
  name: "watch",
  timestamp: at(0),
  tags: ["kiln", "night"],
  userId: "u-11",
  sessionId: "shift-3",
  release: "r5",
  public: false,
  input: JSON.stringify({ question: "How hot is kiln 2?" }),
  output: JSON.stringify("It is at 1140 degrees and rising."),
  metadata: JSON.stringify({ shift: { leader: "Ada" } }),
  scores,
};
const chat = [
  "system: You watch the kilns.",
  "user: How hot is kiln 2?",
  'assistant: kiln_state({"kiln":2})',
  'tool to k1: {"celsius":1140,"trend":"rising"}',
  "assistant: It is at 1140 degrees and rising.",
];

describe("a trace with its observations", () => {
  const whole = { trace, observations: [second, run, root, first] };

  test("is a session, and nothing of it is lost", () => {
    const read = expectAccountedFor([whole]);
    expect(read.formats).toEqual(["langfuse"]);
    expect(chatsOf(whole)).toEqual([chat]);
    const [started] = eventsOfType(read, "SessionStarted");
    expect(started).toMatchObject({
      agent: "kiln-watch",
      external_id: TRACE,
      tags: ["kiln", "night"],
      task: "How hot is kiln 2?",
      tools_source: "declared",
    });
    expect(JSON.parse(started!.metadata!)).toMatchObject({
      trace: { userId: "u-11", sessionId: "shift-3", metadata: { shift: { leader: "Ada" } } },
    });
  });

  test("scores are judgements; a category is kept, and is none", () => {
    const read = readValues([whole]);
    expect(
      eventsOfType(read, "JudgementMade").map(({ judge, score, rationale }) => [judge, score, rationale]),
    ).toEqual([
      ["correct", 0.9, "Right kiln."],
      ["grounded", 1, null],
    ]);
    expect(eventsOfType(read, "SessionStarted")[0]!.metadata).toContain("Short.");
  });

  test("tokens, cost and times are those of the generations", () => {
    const read = readValues([whole]);
    const [ended] = eventsOfType(read, "SessionEnded");
    expect(ended!.usage).toMatchObject({
      prompt_tokens: 90,
      completion_tokens: 19,
      total_tokens: 109,
      calls: 2,
    });
    expect(ended!.cost).toBeCloseTo(0.007);
    expect(ended!.duration_us).toBe(8_000_000);
    const times = eventsOfType(read, "MessageRecorded").map(({ meta }) => meta.occurred_at);
    expect(times.slice(1)).toEqual([1, 2, 4, 6].map((second) => Date.parse(at(second)) * 1000));
  });

  test("an observation that failed makes the session a failed one", () => {
    const failed = { ...root, level: "ERROR", statusMessage: "the kiln did not answer" };
    const [ended] = eventsOfType(readValues([{ trace, observations: [failed, first] }]), "SessionEnded");
    expect(ended).toMatchObject({ status: "failed", error: "the kiln did not answer" });
  });
});

describe("other exports of the same trace are the same chat", () => {
  const bare = { ...trace, input: JSON.parse(trace.input), output: JSON.parse(trace.output) };

  test("as the API gives a trace: its observations within, contents as JSON", () => {
    const parsed = [second, run, root, first].map((each) => ({
      ...each,
      input: "input" in each ? JSON.parse(each.input as string) : null,
      output: "output" in each ? JSON.parse(each.output as string) : null,
    }));
    const given = { ...bare, observations: parsed };
    expectAccountedFor([given]);
    expect(chatsOf(given)).toEqual([chat]);
  });

  test("as rows of observations, in any order, also with names in underscores", () => {
    const rows = [second, run, root, first];
    expectAccountedFor(rows);
    expect(chatsOf(...rows)).toEqual([chat]);
    const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const renamed = rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [snake(name), value])),
    );
    expectAccountedFor(renamed);
    expect(chatsOf(...renamed)).toEqual([chat]);
  });

  test("as a page of the API", () => {
    expect(chatsOf({ data: [second, run, root, first], meta: { page: 1 } })).toEqual([chat]);
  });

  test("a trace alone says what the agent was asked and answered", () => {
    const row = { ...bare, scores: { correct: [0.9] } };
    const read = expectAccountedFor([row]);
    expect(chatsOf(row)).toEqual([[chat[1], chat[4]]]);
    expect(eventsOfType(read, "JudgementMade")).toMatchObject([{ judge: "correct", score: 0.9 }]);
  });
});

describe("what frameworks write into a generation", () => {
  const generation = (input: unknown, output: unknown, more: Record<string, unknown> = {}) => ({
    trace,
    observations: [
      observation("g", "GENERATION", [1, 2], {
        parentObservationId: null,
        input: JSON.stringify(input),
        output: JSON.stringify(output),
        ...more,
      }),
    ],
  });

  test.each<[string, unknown, unknown, string[]]>([
    [
      "Google's ADK",
      {
        model: "g-flash",
        config: {
          system_instruction: "Be brief.",
          tools: [{ function_declarations: [{ name: "kiln_state" }] }],
        },
        contents: [{ role: "user", parts: [{ text: "Hot?" }] }],
      },
      { content: { role: "model", parts: [{ function_call: { name: "kiln_state", args: { kiln: 2 } } }] } },
      ["system: Be brief.", "user: Hot?", 'assistant: kiln_state({"kiln":2})'],
    ],
    [
      "LangGraph",
      [
        { type: "human", content: "Hot?" },
        { role: "tool", content: { type: "function", function: { name: "kiln_state" } } },
      ],
      {
        type: "ai",
        content: "",
        tool_calls: [{ id: "k", name: "kiln_state", args: { kiln: 2 }, type: "tool_call" }],
      },
      ["user: Hot?", 'assistant: kiln_state({"kiln":2})'],
    ],
    [
      "the AI SDK",
      [{ role: "user", content: [{ type: "text", text: "Hot?" }] }],
      [{ toolCallId: "k", toolName: "kiln_state", input: '{"kiln":2}' }],
      ["user: Hot?", 'assistant: kiln_state({"kiln":2})'],
    ],
    [
      "the Semantic Kernel",
      [{ role: "user", "gen_ai.event.content": JSON.stringify({ role: "User", content: "Hot?" }) }],
      {
        "gen_ai.event.content": JSON.stringify({ index: 0, message: { role: "Assistant", content: "Yes." } }),
      },
      ["user: Hot?", "assistant: Yes."],
    ],
    [
      "OpenAI's Responses",
      [{ role: "user", content: "Hot?" }],
      {
        instructions: "Be brief.",
        output: [{ type: "function_call", call_id: "k", name: "kiln_state", arguments: '{"kiln":2}' }],
        tools: [{ type: "function", name: "kiln_state", parameters: {} }],
      },
      ["system: Be brief.", "user: Hot?", 'assistant: kiln_state({"kiln":2})'],
    ],
    [
      "a text of turns",
      "system: Be brief.\nuser: Hot?\nVery?",
      "Yes.",
      ["system: Be brief.", "user: Hot?\nVery?", "assistant: Yes."],
    ],
    ["an object that is the answer", "Hot?", { hot: true }, ["user: Hot?", 'assistant: {"hot":true}']],
    [
      "Anthropic's messages",
      { system: "Be brief.", messages: [{ role: "user", content: "Hot?" }] },
      {
        type: "message",
        role: "assistant",
        content: [{ type: "text", text: "Yes." }],
        stop_reason: "end_turn",
      },
      ["system: Be brief.", "user: Hot?", "assistant: Yes."],
    ],
  ])("%s", (_, input, output, expected) => {
    const value = generation(input, output);
    expectAccountedFor([value], { type: "what its siblings are", role: "the message's" });
    expect(chatsOf(value)).toEqual([expected]);
  });
});

describe("what holds no conversation", () => {
  test("is one sentence, which names no content", () => {
    const silent = { trace: { ...trace, input: null, output: null }, observations: [root] };
    expect(readValues([silent]).problems).toEqual([
      "none of its traces (1) tells what a model was sent and answered: no input, no output",
    ]);
    expect(readValues([{ trace: { id: "x" }, observations: [] }]).problems).toHaveLength(1);
  });

  test("beside others is counted", () => {
    const other = { trace: { id: "other", timestamp: at(0) }, observations: [] };
    const read = readValues([other, { trace, observations: [first] }]);
    expect(read.sessions).toHaveLength(1);
    expect(read.notes).toEqual(["traces without what a model was sent and answered: 1 of 2"]);
  });

  test("odd fields cost no trace", () => {
    const odd = {
      ...first,
      startTime: "soon",
      usageDetails: null,
      metadata: "no JSON",
      parentObservationId: "gone",
    };
    const read = expectAccountedFor([
      { trace: { ...trace, tags: null, scores: null }, observations: [odd, null] },
    ]);
    expect(read.notes).toEqual(["startTime is no time between 1970 and 2254: it is kept, and not used"]);
  });
});
