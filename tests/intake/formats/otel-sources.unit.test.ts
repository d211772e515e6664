import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { batchOf, listOf, micros, nanos, spanOf } from "./otel-spans.ts";
import { chatsOf, eventsOfType } from "./trace-chats.ts";

const LEAVES = { intValue: "a number", key: "an attribute's name", role: "the message's", index: "" };
const TRACE = "c9".repeat(16);

describe("events that were sent as log records", () => {
  const record = (name: string, body: Record<string, unknown>) => ({
    timeUnixNano: nanos(1),
    eventName: name,
    traceId: TRACE,
    spanId: "01",
    attributes: listOf({ "gen_ai.system": "openai" }),
    body: { kvlistValue: { values: listOf(body) } },
  });
  const logs = {
    resourceLogs: [
      {
        resource: { attributes: listOf({ "service.name": "mill", "log.file": "mill.log" }) },
        scopeLogs: [
          {
            logRecords: [
              record("gen_ai.user.message", { content: "Is there wind?" }),
              record("gen_ai.choice", { index: 0, message: { role: "assistant", content: "A little." } }),
            ],
          },
        ],
      },
    ],
  };
  const span = spanOf({
    trace: TRACE,
    id: "01",
    from: 1,
    to: 2,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 5,
      "gen_ai.usage.output_tokens": 3,
    },
  });
  const chat = ["user: Is there wind?", "assistant: A little."];

  test("belong to their span, whichever came first", () => {
    expectAccountedFor([logs, batchOf(span)], LEAVES);
    for (const values of [
      [logs, batchOf(span)],
      [batchOf(span), logs],
    ]) {
      expect(chatsOf(...values)).toEqual([chat]);
      expect(eventsOfType(readValues(values), "SessionEnded")[0]!.usage).toMatchObject({ prompt_tokens: 5 });
    }
  });

  test("are a conversation without their span, too", () => {
    expect(chatsOf(logs)).toEqual([chat]);
  });
});

test("an export of Jaeger", () => {
  const tag = (key: string, value: unknown) => ({ key, type: typeof value, value });
  const span = (id: string, parent: string | undefined, tags: unknown[]) => ({
    traceID: TRACE,
    spanID: id,
    operationName: id,
    references: parent === undefined ? [] : [{ refType: "CHILD_OF", traceID: TRACE, spanID: parent }],
    startTime: micros(1),
    duration: 1_500_000,
    tags,
    logs: [],
    processID: "p1",
  });
  const file = {
    data: [
      {
        traceID: TRACE,
        spans: [
          span("ask", "miller", [
            tag("gen_ai.operation.name", "chat"),
            tag(
              "gen_ai.input.messages",
              JSON.stringify([{ role: "user", parts: [{ type: "text", content: "Wind?" }] }]),
            ),
            tag(
              "gen_ai.output.messages",
              JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "No." }] }]),
            ),
          ]),
          span("miller", undefined, [
            tag("gen_ai.operation.name", "invoke_agent"),
            tag("otel.status_code", "ERROR"),
          ]),
        ],
        processes: { p1: { serviceName: "mill", tags: [tag("host", "m-1")] } },
      },
    ],
  };
  expect(chatsOf(file)).toEqual([["user: Wind?", "assistant: No."]]);
  const read = readValues([file]);
  expect(eventsOfType(read, "SessionStarted")[0]).toMatchObject({ agent: "miller", external_id: TRACE });
  expect(eventsOfType(read, "SessionStarted")[0]!.metadata).toContain("m-1");
  expect(eventsOfType(read, "SessionEnded")[0]).toMatchObject({ status: "failed", duration_us: 1_500_000 });
});

describe("what frameworks write besides the conventions", () => {
  test("Google's ADK: a request and a reply of Gemini, and tools with attributes of their own", () => {
    const llm = spanOf({
      id: "02",
      parent: "01",
      from: 1,
      to: 2,
      name: "call_llm",
      attributes: {
        "gcp.vertex.agent.llm_request": JSON.stringify({
          model: "g-flash",
          config: { system_instruction: "Be brief.", tools: [{ function_declarations: [{ name: "wind" }] }] },
          contents: [{ role: "user", parts: [{ text: "Wind?" }] }],
        }),
        "gcp.vertex.agent.llm_response": JSON.stringify({
          content: { role: "model", parts: [{ function_call: { name: "wind", args: {} } }] },
        }),
      },
    });
    const tool = spanOf({
      id: "03",
      parent: "01",
      from: 3,
      to: 4,
      name: "execute_tool wind",
      attributes: {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "wind",
        "gcp.vertex.agent.llm_request": "{}",
        "gcp.vertex.agent.tool_call_args": "{}",
        "gcp.vertex.agent.tool_response": '{"beaufort":2}',
      },
    });
    expect(chatsOf(batchOf(llm, tool))).toEqual([
      ["system: Be brief.", "user: Wind?", "assistant: wind({})", 'tool: {"beaufort":2}'],
    ]);
  });

  test("Strands: blocks of Bedrock's Converse in events", () => {
    const events = [
      { name: "gen_ai.user.message", attributes: { content: JSON.stringify([{ text: "Wind?" }]) } },
      {
        name: "gen_ai.choice",
        attributes: {
          message: JSON.stringify([
            { text: "I look." },
            { toolUse: { toolUseId: "u1", name: "wind", input: { at: "mill" } } },
          ]),
          finish_reason: "tool_use",
        },
      },
    ];
    const next = [
      ...events.slice(0, 1),
      { name: "gen_ai.assistant.message", attributes: { content: events[1]!.attributes.message! } },
      {
        name: "gen_ai.tool.message",
        attributes: {
          content: JSON.stringify([
            { toolResult: { toolUseId: "u1", status: "success", content: [{ json: { bft: 2 } }] } },
          ]),
        },
      },
      {
        name: "gen_ai.choice",
        attributes: { message: JSON.stringify([{ text: "A little." }]), finish_reason: "end_turn" },
      },
    ];
    const chat = { "gen_ai.operation.name": "chat" };
    const trace = batchOf(
      spanOf({ id: "01", from: 0, to: 1, attributes: chat, events }),
      spanOf({ id: "02", from: 2, to: 3, attributes: chat, events: next }),
    );
    expect(chatsOf(trace)).toEqual([
      [
        "user: Wind?",
        'assistant: I look. wind({"at":"mill"})',
        'tool to u1: {"bft":2}',
        "assistant: A little.",
      ],
    ]);
  });

  test("LangChain: calls that are kept beside the message", () => {
    const tool_calls = [{ id: "k", type: "function", function: { name: "wind", arguments: "{}" } }];
    const attributes = {
      "openinference.span.kind": "LLM",
      "input.value": JSON.stringify([[{ role: "user", content: "Wind?" }]]),
      "output.value": JSON.stringify({
        role: "assistant",
        content: "",
        additional_kwargs: { tool_calls, refusal: null },
      }),
    };
    expect(chatsOf(attributes)).toEqual([["user: Wind?", "assistant: wind({})"]]);
  });
});
