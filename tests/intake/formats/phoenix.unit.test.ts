import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { chatsOf, eventsOfType } from "./trace-chats.ts";

const TRACE = "e7".repeat(16);
const LEAVES = { "message_content.type": "a part of text is a text", "tool_call.id": "" };

/** A row of a table of spans, as `get_spans_dataframe()` writes it. */
const row = (span: string, kind: string, times: [string, string], more: Record<string, unknown>) => ({
  name: span,
  span_kind: kind,
  parent_id: span === "agent" ? null : "agent",
  start_time: `2025-07-01T12:00:${times[0]}+00:00`,
  end_time: `2025-07-01T12:00:${times[1]}+00:00`,
  status_code: "OK",
  status_message: "",
  events: [],
  "context.span_id": span,
  "context.trace_id": TRACE,
  "attributes.openinference.span.kind": kind,
  ...more,
});

const question = { "message.role": "user", "message.content": "Who grows plums?" };
const asking = {
  "message.role": "assistant",
  "message.tool_calls": [
    {
      "tool_call.id": "g1",
      "tool_call.function.name": "growers",
      "tool_call.function.arguments": '{"fruit":"plum"}',
    },
  ],
};
const rows = [
  row("agent", "AGENT", ["00", "09"], { "attributes.session.id": "s-1", "attributes.agent.name": "orchard" }),
  row("ask", "LLM", ["01", "02"], {
    "attributes.llm.model_name": "m-small",
    "attributes.llm.input_messages": [question],
    "attributes.llm.output_messages": [asking],
    "attributes.llm.token_count.prompt": 20,
    "attributes.llm.token_count.completion": 6,
    "attributes.llm.tools": [{ "tool.json_schema": '{"type":"function","function":{"name":"growers"}}' }],
  }),
  row("growers", "TOOL", ["03", "04"], {
    "attributes.tool.name": "growers",
    "attributes.input.value": '{"fruit":"plum"}',
    "attributes.output.value": "Ida, Ole",
  }),
  row("tell", "LLM", ["05", "06"], {
    "attributes.llm.input_messages": [
      question,
      asking,
      { "message.role": "tool", "message.tool_call_id": "g1", "message.content": "Ida, Ole" },
    ],
    "attributes.llm.output_messages": [{ "message.role": "assistant", "message.content": "Ida and Ole." }],
    "eval.Correct.score": 1,
    "eval.Correct.label": "correct",
    "eval.Correct.explanation": "Both are named.",
  }),
];
const chat = [
  "user: Who grows plums?",
  'assistant: growers({"fruit":"plum"})',
  "tool to g1: Ida, Ole",
  "assistant: Ida and Ole.",
];

describe("a table of spans", () => {
  test("is a session a trace, and nothing of it is lost", () => {
    const read = expectAccountedFor(rows, LEAVES);
    expect(read.formats).toEqual(["phoenix"]);
    expect(chatsOf(...rows)).toEqual([chat]);
    expect(eventsOfType(read, "SessionStarted")).toMatchObject([
      { agent: "orchard", external_id: TRACE, tools_source: "declared" },
    ]);
    expect(eventsOfType(read, "JudgementMade")).toMatchObject([
      { judge: "Correct", score: 1, rationale: "Both are named." },
    ]);
    expect(eventsOfType(read, "SessionEnded")[0]).toMatchObject({
      usage: { prompt_tokens: 20, completion_tokens: 6, calls: 1 },
      duration_us: 9_000_000,
    });
  });

  test("also by its columns, as pandas writes it, with times in milliseconds", () => {
    const names = [...new Set(rows.flatMap((each) => Object.keys(each)))];
    const columns = Object.fromEntries(
      names.map((name) => [
        name,
        Object.fromEntries(
          rows.map((each, place) => {
            const value = (each as Record<string, unknown>)[name] ?? null;
            return [String(place), name.endsWith("_time") ? Date.parse(String(value)) : value];
          }),
        ),
      ]),
    );
    expect(chatsOf(columns)).toEqual([chat]);
    expect(eventsOfType(readValues([columns]), "SessionEnded")[0]!.duration_us).toBe(9_000_000);
  });
});

describe("spans of the API", () => {
  const span = {
    id: "U3Bhbjox",
    name: "tell",
    context: { trace_id: TRACE, span_id: "tell" },
    span_kind: "LLM",
    parent_id: null,
    start_time: "2025-07-01T12:00:05Z",
    end_time: "2025-07-01T12:00:06Z",
    status_code: "ERROR",
    status_message: "cut off",
    attributes: {
      "openinference.span.kind": "LLM",
      "llm.input_messages.0.message.role": "user",
      "llm.input_messages.0.message.content": "Who grows plums?",
      "llm.output_messages.0.message.role": "assistant",
      "llm.output_messages.0.message.content": "Ida and Ole.",
    },
    annotations: [
      {
        name: "kind",
        annotator_kind: "HUMAN",
        result: { label: "yes", score: 0.25, explanation: "A bit curt." },
      },
      { name: "language", annotator_kind: "CODE", result: { label: "en", score: null } },
    ],
    events: [],
  };

  test("a span, and a page of them", () => {
    const read = expectAccountedFor([span]);
    expect(chatsOf(span)).toEqual([[chat[0], chat[3]]]);
    expect(chatsOf({ data: [span], next_cursor: null })).toEqual([[chat[0], chat[3]]]);
    expect(eventsOfType(read, "JudgementMade")).toMatchObject([
      { judge: "kind", score: 0.25, rationale: "A bit curt." },
    ]);
    expect(eventsOfType(read, "SessionEnded")[0]).toMatchObject({ status: "failed", error: "cut off" });
  });

  test("attributes may be nested", () => {
    const nested = {
      ...span,
      attributes: {
        llm: {
          input_messages: [{ message: { role: "user", content: "Who grows plums?" } }],
          output_messages: [{ message: { role: "assistant", content: "Ida and Ole." } }],
        },
        openinference: { span: { kind: "LLM" } },
      },
    };
    expectAccountedFor([nested]);
    expect(chatsOf(nested)).toEqual([[chat[0], chat[3]]]);
  });

  test("spans that say nothing are one sentence", () => {
    expect(readValues([{ ...span, attributes: { "http.route": "/" } }]).problems).toEqual([
      "none of its spans (1) tells what a model was sent and answered: no messages, no input, no output",
    ]);
  });
});
