import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../intake/chat/message.ts";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { batchOf, callPart, resultPart, spanOf, text, turn } from "./otel-spans.ts";
import { chatOf, eventsOfType } from "./trace-chats.ts";

const asked = "Which berth is free?";
const thought = "I look it up.";
const answered = "Berth 4 is free.";
const args = '{"quay":"north"}';

/** One call of a model, in the notation that is named. */
const NOTATIONS: Record<string, Record<string, unknown>> = {
  "GenAI messages": {
    "gen_ai.input.messages": JSON.stringify([
      turn("user", text(asked)),
      turn("assistant", text(thought), callPart("b1", "berths", { quay: "north" })),
      turn("tool", resultPart("b1", "4, 9")),
    ]),
    "gen_ai.output.messages": JSON.stringify([
      { ...turn("assistant", text(answered)), finish_reason: "stop" },
    ]),
  },
  "GenAI prompt and completion": {
    "gen_ai.prompt": JSON.stringify([
      turn("user", text(asked)),
      turn("assistant", text(thought), callPart("b1", "berths", { quay: "north" })),
      turn("tool", resultPart("b1", "4, 9")),
    ]),
    "gen_ai.completion": JSON.stringify({ text: answered, finish_reason: "stop" }),
  },
  OpenInference: {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": asked,
    "llm.input_messages.1.message.role": "assistant",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": thought,
    "llm.input_messages.1.message.tool_calls.0.tool_call.id": "b1",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "berths",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": args,
    "llm.input_messages.2.message.role": "tool",
    "llm.input_messages.2.message.tool_call_id": "b1",
    "llm.input_messages.2.message.content": "4, 9",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": answered,
  },
  "OpenInference with the whole request": {
    "openinference.span.kind": "LLM",
    "input.value": JSON.stringify({
      model: "small",
      messages: [
        { role: "user", content: asked },
        {
          role: "assistant",
          content: thought,
          tool_calls: [{ id: "b1", type: "function", function: { name: "berths", arguments: args } }],
        },
        { role: "tool", tool_call_id: "b1", content: "4, 9" },
      ],
    }),
    "output.value": JSON.stringify({
      id: "reply-1",
      choices: [{ index: 0, message: { role: "assistant", content: answered }, finish_reason: "stop" }],
    }),
  },
  OpenLLMetry: {
    "llm.request.type": "chat",
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": asked,
    "gen_ai.prompt.1.role": "assistant",
    "gen_ai.prompt.1.content": thought,
    "gen_ai.prompt.1.tool_calls.0.id": "b1",
    "gen_ai.prompt.1.tool_calls.0.name": "berths",
    "gen_ai.prompt.1.tool_calls.0.arguments": args,
    "gen_ai.prompt.2.role": "tool",
    "gen_ai.prompt.2.tool_call_id": "b1",
    "gen_ai.prompt.2.content": "4, 9",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": answered,
    "gen_ai.completion.0.finish_reason": "stop",
  },
  "the AI SDK": {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.prompt.messages": JSON.stringify([
      { role: "user", content: [{ type: "text", text: asked }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: thought },
          { type: "tool-call", toolCallId: "b1", toolName: "berths", input: { quay: "north" } },
        ],
      },
      {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: "b1",
            toolName: "berths",
            output: { type: "text", value: "4, 9" },
          },
        ],
      },
    ]),
    "ai.response.text": answered,
    "ai.response.finishReason": "stop",
  },
};

const MESSAGE_EVENTS = [
  { name: "gen_ai.user.message", attributes: { content: asked } },
  {
    name: "gen_ai.assistant.message",
    attributes: {
      content: thought,
      tool_calls: JSON.stringify([
        { id: "b1", type: "function", function: { name: "berths", arguments: args } },
      ]),
    },
  },
  { name: "gen_ai.tool.message", attributes: { id: "b1", content: "4, 9" } },
  {
    name: "gen_ai.choice",
    attributes: {
      index: 0,
      finish_reason: "stop",
      message: JSON.stringify({ role: "assistant", content: answered }),
    },
  },
];

const EXPECTED = [
  { role: "user", content: asked },
  {
    role: "assistant",
    content: thought,
    tool_calls: [{ id: "b1", type: "function", function: { name: "berths", arguments: args } }],
  },
  { role: "tool", tool_call_id: "b1", content: "4, 9" },
  { role: "assistant", content: answered },
];

/** What a result is called may stand beside what it answers. */
const withoutNames = ({ name: _, ...message }: ChatMessage) => message;
const LEAVES = {
  "llm.input_messages.1.message.contents.0.message_content.type": "a part of text is a text",
  type: "what its siblings are",
  role: "",
  key: "",
  intValue: "",
  index: "",
};

const chatIn = (value: unknown) =>
  readValues([value]).events.map((events) => chatOf(events).map(withoutNames));

describe("one call in every notation is one conversation", () => {
  test.each(Object.entries(NOTATIONS))("%s, on a span", (_, attributes) => {
    const span = spanOf({ id: "01", from: 0, to: 1, attributes });
    expectAccountedFor([{ ...span, attributes }], LEAVES);
    expect(chatIn(batchOf(span))).toEqual([EXPECTED]);
  });

  test.each(Object.entries(NOTATIONS))("%s, as attributes alone", (_, attributes) => {
    expectAccountedFor([attributes], LEAVES);
    expect(chatIn(attributes)).toEqual([EXPECTED]);
  });

  test("an event for each message", () => {
    const attributes = { "gen_ai.operation.name": "chat" };
    const batch = batchOf(spanOf({ id: "01", from: 0, to: 1, attributes, events: MESSAGE_EVENTS }));
    expectAccountedFor([batch], LEAVES);
    expect(chatIn(batch)).toEqual([EXPECTED]);
  });

  test("one event with all messages", () => {
    const events = [
      { name: "gen_ai.client.inference.operation.details", attributes: NOTATIONS["GenAI messages"]! },
    ];
    const batch = batchOf(
      spanOf({ id: "01", from: 0, to: 1, attributes: { "gen_ai.operation.name": "chat" }, events }),
    );
    expectAccountedFor([batch], LEAVES);
    expect(chatIn(batch)).toEqual([EXPECTED]);
  });

  test("Pydantic AI's list of events, with its tools", () => {
    const events = MESSAGE_EVENTS.map(({ name, attributes }) => ({
      "event.name": name,
      ...attributes,
      ...("message" in attributes && { message: JSON.parse(String(attributes.message)) as unknown }),
    }));
    const span = spanOf({
      id: "01",
      from: 0,
      to: 1,
      attributes: {
        "gen_ai.operation.name": "chat",
        events: JSON.stringify(events),
        model_request_parameters: JSON.stringify({
          function_tools: [
            { name: "berths", description: "Free berths", parameters_json_schema: { type: "object" } },
          ],
        }),
      },
    });
    expect(chatIn(batchOf(span))).toEqual([EXPECTED]);
    const [started] = eventsOfType(readValues([batchOf(span)]), "SessionStarted");
    expect(JSON.parse(started!.tools!)).toEqual([
      {
        type: "function",
        function: { name: "berths", description: "Free berths", parameters: { type: "object" } },
      },
    ]);
  });
});
