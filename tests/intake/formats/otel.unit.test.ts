import { describe, expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { batchOf, callPart, micros, resultPart, spanOf, text, turn } from "./otel-spans.ts";
import { chatsOf, eventsOfType } from "./trace-chats.ts";

const question = turn("user", text("When does the tide turn at Husum?"));
const asking = turn("assistant", callPart("t1", "tide_table", { port: "Husum", days: 2 }));
const table = turn("tool", resultPart("t1", { high: "14:20", low: "20:41" }));
const answer = turn("assistant", text("High water is at 14:20."));
const tools = [
  { type: "function", name: "tide_table", description: "Tides", parameters: { type: "object" } },
];
const model = (more: Record<string, unknown>) => ({
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "anthropic",
  "gen_ai.request.model": "sonnet-small",
  "gen_ai.request.temperature": 0.25,
  ...more,
});

const agentSpan = spanOf({
  id: "01",
  from: 0,
  to: 9,
  name: "invoke_agent tide-clerk",
  attributes: {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "tide-clerk",
    "session.id": "s-7",
  },
});
const firstCall = spanOf({
  id: "02",
  parent: "01",
  from: 1,
  to: 3,
  attributes: model({
    "gen_ai.system_instructions": JSON.stringify([text("You know the tides.")]),
    "gen_ai.tool.definitions": JSON.stringify(tools),
    "gen_ai.input.messages": JSON.stringify([question]),
    "gen_ai.output.messages": JSON.stringify([{ ...asking, finish_reason: "tool_calls" }]),
    "gen_ai.usage.input_tokens": 41,
    "gen_ai.usage.output_tokens": 12,
  }),
});
const toolSpan = spanOf({
  id: "03",
  parent: "01",
  from: 4,
  to: 5,
  attributes: {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "tide_table",
    "gen_ai.tool.call.id": "t1",
    "gen_ai.tool.call.result": { high: "14:20", low: "20:41" },
  },
});
const secondCall = spanOf({
  id: "04",
  parent: "01",
  from: 6,
  to: 8,
  attributes: model({
    "gen_ai.system_instructions": JSON.stringify([text("You know the tides.")]),
    "gen_ai.input.messages": JSON.stringify([question, asking, table]),
    "gen_ai.output.messages": JSON.stringify([{ ...answer, finish_reason: "stop" }]),
    "gen_ai.usage.input_tokens": 77,
    "gen_ai.usage.output_tokens": 9,
    "gen_ai.usage.cache_read.input_tokens": 40,
  }),
});
const chat = [
  "system: You know the tides.",
  "user: When does the tide turn at Husum?",
  'assistant: tide_table({"port":"Husum","days":2})',
  'tool to t1: {"high":"14:20","low":"20:41"}',
  "assistant: High water is at 14:20.",
];
const OTLP = {
  intValue: "a number",
  type: "what its siblings are",
  role: "the message's",
  key: "an attribute's name",
};

describe("spans as OTLP/JSON", () => {
  const whole = batchOf(secondCall, toolSpan, agentSpan, firstCall);

  test("a trace is a session, and nothing of it is lost", () => {
    expectAccountedFor([whole], OTLP);
    expect(chatsOf(whole)).toEqual([chat]);
    const read = readValues([whole]);
    expect(eventsOfType(read, "SessionStarted")).toMatchObject([
      { agent: "tide-clerk", external_id: "a1".repeat(16), task: "When does the tide turn at Husum?" },
    ]);
    expect(eventsOfType(read, "ToolCallEnded").map(({ name, output }) => [name, output])).toEqual([
      ["tide_table", '{"high":"14:20","low":"20:41"}'],
    ]);
  });

  test("tools are the ones that were offered, tokens those of each call, times those of the spans", () => {
    const read = readValues([whole]);
    const [started] = eventsOfType(read, "SessionStarted");
    expect(JSON.parse(started!.tools!)).toEqual([
      {
        type: "function",
        function: { name: "tide_table", description: "Tides", parameters: { type: "object" } },
      },
    ]);
    expect(started!.tools_source).toBe("declared");
    const [ended] = eventsOfType(read, "SessionEnded");
    expect(ended!.usage).toMatchObject({
      prompt_tokens: 118,
      completion_tokens: 21,
      cached_tokens: 40,
      calls: 2,
    });
    expect(ended!.duration_us).toBe(9_000_000);
    const times = eventsOfType(read, "MessageRecorded").map(({ meta }) => meta.occurred_at);
    expect(times.slice(1)).toEqual([1, 3, 5, 8].map(micros));
  });

  test("its spans are anywhere in a file, and may be there twice", () => {
    const scattered = [firstCall, agentSpan, firstCall, secondCall, toolSpan].map((span) => batchOf(span));
    expect(chatsOf(...scattered)).toEqual([chat]);
    expect(readValues(scattered).events[0]![0]!.meta.source).toBe(
      readValues([whole]).events[0]![0]!.meta.source,
    );
  });

  test("traces without a conversation are counted", () => {
    const ping = spanOf({
      trace: "b2".repeat(16),
      id: "11",
      from: 0,
      to: 1,
      attributes: { "http.route": "/ping" },
    });
    const read = readValues([batchOf(agentSpan, firstCall, ping)]);
    expect(read.sessions).toHaveLength(1);
    expect(read.notes).toContain("traces without what a model was sent and answered: 1 of 2");
    expect(readValues([batchOf(ping)]).problems).toEqual([
      "none of its spans (1) tells what a model was sent and answered: no messages, no input, no output",
    ]);
  });

  test("what failed is a failed session, with why", () => {
    const failing = spanOf({
      id: "21",
      from: 0,
      to: 1,
      attributes: model({ "gen_ai.input.messages": JSON.stringify([question]) }),
      status: { code: 2, message: "overloaded" },
    });
    expect(onlySession(batchOf(failing))).toMatchObject({ status: "failed", error: "overloaded" });
  });

  test("an evaluation is a judgement", () => {
    const event = {
      name: "gen_ai.evaluation.result",
      attributes: {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.explanation": "It names the time.",
      },
    };
    const attributes = model({
      "gen_ai.input.messages": JSON.stringify([question]),
      "gen_ai.output.messages": JSON.stringify([answer]),
    });
    const read = expectAccountedFor(
      [batchOf(spanOf({ id: "31", from: 0, to: 1, attributes, events: [event] }))],
      OTLP,
    );
    expect(eventsOfType(read, "JudgementMade")).toMatchObject([
      { judge: "helpful", score: 0.75, rationale: "It names the time." },
    ]);
  });

  test("what is no message is told and kept, and costs no trace", () => {
    const attributes = model({
      "gen_ai.input.messages": JSON.stringify([question, { role: "oracle", parts: [text("hidden")] }]),
      "gen_ai.output.messages": JSON.stringify([answer]),
    });
    const odd = batchOf(spanOf({ id: "41", from: 0, to: 1, attributes }));
    const read = expectAccountedFor([odd], OTLP);
    expect(chatsOf(odd)).toEqual([[chat[1], chat[4]]]);
    expect(read.notes[0]).toMatch(/^messages that a model was sent\[1\]\.role .* kept with the metadata$/);
  });
});

describe("spans as SDKs print them", () => {
  const said = { "gen_ai.input.messages": [question], "gen_ai.output.messages": [answer] };

  test("JavaScript: its console exporter, and a span as an object", () => {
    const printed = {
      resource: { attributes: { "service.name": "desk" } },
      instrumentationScope: { name: "desk" },
      traceId: "c3".repeat(16),
      name: "chat",
      id: "51",
      kind: 0,
      timestamp: micros(1),
      duration: 2_000_000,
      attributes: said,
      status: { code: 0 },
      events: [],
    };
    const object = {
      name: "chat",
      spanContext: { traceId: "c4".repeat(16), spanId: "52" },
      parentSpanContext: { traceId: "c4".repeat(16), spanId: "53" },
      startTime: [1_760_000_001, 0],
      endTime: [1_760_000_003, 500_000_000],
      attributes: said,
      status: { code: 0 },
    };
    const read = expectAccountedFor([printed, object], {
      startTime: "the start",
      endTime: "the end",
      type: "",
    });
    expect(chatsOf(printed, object)).toEqual([
      [chat[1], chat[4]],
      [chat[1], chat[4]],
    ]);
    expect(eventsOfType(read, "SessionEnded").map((ended) => ended.duration_us)).toEqual([
      2_000_000, 2_500_000,
    ]);
  });

  test("Python: ids with a prefix, a parent that is null", () => {
    const printed = {
      name: "chat",
      context: { trace_id: `0x${"d5".repeat(16)}`, span_id: "0x61", trace_state: "[]" },
      kind: "SpanKind.CLIENT",
      parent_id: null,
      start_time: "2025-10-09T08:53:21.000000Z",
      end_time: "2025-10-09T08:53:23.000000Z",
      status: { status_code: "ERROR", description: "cut off" },
      attributes: { "gen_ai.input.messages": JSON.stringify([question]), "gen_ai.output.messages": "[]" },
      events: [],
      links: [],
      resource: { attributes: { "service.name": "desk" }, schema_url: "" },
    };
    expectAccountedFor([printed], { type: "" });
    expect(onlySession(printed)).toMatchObject({ status: "failed", error: "cut off" });
    expect(eventsOfType(readValues([printed]), "SessionStarted")[0]!.external_id).toBe("d5".repeat(16));
  });
});
