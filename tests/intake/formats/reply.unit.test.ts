import { describe, expect, test } from "vitest";
import { parseExact } from "../../../intake/exact-json.ts";
import { assembled } from "../../../intake/formats/reply-streams.ts";
import { UNKNOWN_TASK } from "../../../intake/import/conversation-facts.ts";
import { openaiChat } from "../../../sinks/formats/openai-chat.ts";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf, messagesOf } from "./conversations.ts";

const NO_TASK = "what was asked is not in it: the session has no task, and chat formats leave it out";
const ask = { role: "user", content: "Weather in Oslo?" };

const chunk = (delta: object, rest: object = {}, id = "chatcmpl-1") => ({
  id,
  object: "chat.completion.chunk",
  created: 1_764_000_000,
  model: "gpt-x",
  choices: [{ index: 0, delta, ...rest }],
});
const CHUNKS = [
  chunk({ role: "assistant", content: "", reasoning_content: "I " }),
  chunk({ reasoning_content: "look." }),
  chunk({ content: "Let me " }),
  chunk({ content: "see." }),
  chunk({
    tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "weather", arguments: "" } }],
  }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '"Oslo"}' } }] }),
  chunk({}, { finish_reason: "tool_calls" }),
  { ...chunk({}), choices: [], usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } },
];
const call = { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } };

const EVENTS = [
  {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-x",
      content: [],
      usage: { input_tokens: 7, output_tokens: 1 },
    },
  },
  { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
  { type: "ping" },
  { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "I look." } },
  { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "sig" } },
  { type: "content_block_stop", index: 0 },
  { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Let me " } },
  { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "see." } },
  {
    type: "content_block_start",
    index: 2,
    content_block: { type: "tool_use", id: "c1", name: "weather", input: {} },
  },
  { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"city":' } },
  { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '"Oslo"}' } },
  {
    type: "message_delta",
    delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { output_tokens: 9 },
  },
  { type: "message_stop" },
];

const GEMINI = [
  {
    candidates: [{ content: { role: "model", parts: [{ text: "I look.", thought: true }] } }],
    responseId: "g1",
    modelVersion: "gemini-x",
  },
  { candidates: [{ content: { role: "model", parts: [{ text: "Let me " }] } }], responseId: "g1" },
  { candidates: [{ content: { role: "model", parts: [{ text: "see." }] } }], responseId: "g1" },
  {
    candidates: [
      {
        content: { parts: [{ functionCall: { name: "weather", args: { city: "Oslo" } } }] },
        finishReason: "STOP",
      },
    ],
    responseId: "g1",
    usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 5 },
  },
];

const RESPONSE = {
  id: "resp_1",
  object: "response",
  created_at: 1_764_000_000,
  model: "gpt-x",
  instructions: "You forecast the weather.",
  error: null,
  output: [
    {
      type: "mcp_list_tools",
      id: "l1",
      server_label: "sky",
      tools: [{ name: "weather", input_schema: { type: "object" } }],
    },
    { type: "reasoning", id: "r1", summary: [{ type: "summary_text", text: "I look." }] },
    {
      type: "mcp_call",
      id: "c1",
      name: "weather",
      arguments: '{"city":"Oslo"}',
      output: "rain",
      server_label: "sky",
    },
    {
      type: "message",
      id: "m1",
      role: "assistant",
      content: [{ type: "output_text", text: "It rains.", annotations: [] }],
    },
  ],
  usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
};
const RESPONSE_EVENTS = [
  { type: "response.created", response: { ...RESPONSE, output: [] }, sequence_number: 0 },
  ...RESPONSE.output.map((item, index) => ({ type: "response.output_item.done", output_index: index, item })),
];

describe("streams come to what was answered", () => {
  test.each([
    ["OpenAI's chunks", CHUNKS],
    ["Anthropic's events", EVENTS],
    ["Gemini's replies", GEMINI],
  ])("%s, as the answer to a request", (_, response) => {
    for (const written of [
      response,
      `${response.map((part) => `data: ${JSON.stringify(part)}`).join("\n\n")}\n\ndata: [DONE]\n`,
    ]) {
      const [conversation] = conversationsOf({ messages: [ask], response: written });
      expect(messagesOf(conversation!)).toMatchObject([
        ask,
        { role: "assistant", content: "Let me see.", reasoning_content: "I look." },
      ]);
      expect(callsOf(conversation!)).toEqual(['weather({"city":"Oslo"}) → nothing']);
      expect(conversation!.messages[1]!.usage!.prompt).toBe(7);
    }
  });

  test("calls that a server gave the same index are several still", () => {
    const other = { index: 0, id: "c2", type: "function", function: { name: "weather", arguments: "{}" } };
    const chunks = [chunk({ tool_calls: [{ index: 0, ...call }] }), chunk({ tool_calls: [other] })];
    const [conversation] = conversationsOf({ messages: [ask], response: chunks });
    expect(callsOf(conversation!)).toEqual(['weather({"city":"Oslo"}) → nothing', "weather({}) → nothing"]);
  });

  test("a stream that was cut off is what had come by then", () => {
    const [conversation] = conversationsOf({ messages: [ask], response: EVENTS.slice(0, 11) });
    expect(callsOf(conversation!)).toEqual(['weather("{\\"city\\":") → nothing']);
    expect(
      messagesOf(conversationsOf({ messages: [ask], response: CHUNKS.slice(0, 3) })[0]!)[1]!.content,
    ).toBe("Let me ");
  });

  test("events of Responses, with and without the last one", () => {
    const last = { type: "response.completed", response: RESPONSE, sequence_number: 9 };
    for (const events of [RESPONSE_EVENTS, [...RESPONSE_EVENTS, last]])
      expect(onlySession(...events)).toMatchObject({
        final_answer: "It rains.",
        started: { external_id: "resp_1" },
      });
  });

  test("replies that follow one another are told apart", () => {
    expect(assembled([...CHUNKS, chunk({ content: "b" }, {}, "chatcmpl-2")]).replies).toHaveLength(2);
    expect(assembled([...EVENTS, ...EVENTS]).replies).toHaveLength(2);
    expect(assembled([...GEMINI, { ...GEMINI[0], responseId: "g2" }]).replies).toHaveLength(2);
    expect(assembled([...RESPONSE_EVENTS, ...RESPONSE_EVENTS, RESPONSE]).replies).toHaveLength(3);
  });

  test("an error among the events is kept and told", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "busy" } };
    const row = { messages: [ask], response: [...EVENTS, error] };
    expect(JSON.stringify(conversationsOf(row)[0]!.metadata)).toContain("overloaded_error");
  });

  test("a field that is called as JavaScript calls prototypes is a field", () => {
    const odd = () =>
      JSON.parse('{"choices":[{"index":0,"delta":{"content":"a"},"__proto__":{"spoiled":true}}]}') as unknown;
    const { replies } = assembled([odd(), odd()]);
    expect(JSON.stringify(replies)).toContain('"__proto__":{"spoiled":true}');
    expect(({} as Record<string, unknown>).spoiled).toBeUndefined();
  });

  test("numbers of many digits stay whole", () => {
    const text = JSON.stringify(chunk({ content: "hi" })).replace("1764000000", "12345678901234567890");
    const { replies } = assembled([parseExact(text), parseExact(text)]);
    expect(JSON.stringify(replies)).toContain('"created":12345678901234567890');
  });
});

describe("replies alone", () => {
  test("one that repeats its instructions is a session, with the tools that were offered", () => {
    const { formats } = expectAccountedFor([RESPONSE], {
      type: "OpenAI's shape",
      created_at: "the session's start",
    });
    expect(formats).toEqual(["reply"]);
    const [conversation] = conversationsOf(RESPONSE);
    expect(conversation).toMatchObject({
      id: "resp_1",
      agent: "gpt-x",
      task: "You forecast the weather.",
      startedAt: 1_764_000_000_000_000,
      tools: [{ type: "function", function: { name: "weather" } }],
    });
    expect(callsOf(conversation!)).toEqual(['weather({"city":"Oslo"}) → rain']);
    expect(messagesOf(conversation!).map(({ role }) => role)).toEqual([
      "system",
      "assistant",
      "tool",
      "assistant",
    ]);
  });

  test("one that failed", () => {
    const failed = { ...RESPONSE, status: "failed", error: { code: "server_error", message: "it broke" } };
    expect(onlySession(failed)).toMatchObject({ status: "failed", error: "it broke" });
  });

  test.each([
    ["OpenAI's chunks", CHUNKS],
    ["Anthropic's events", EVENTS],
    ["Gemini", [GEMINI[3]]],
    ["Gemini's stream", GEMINI],
    [
      "Anthropic's message",
      [{ id: "m", type: "message", role: "assistant", content: [{ type: "text", text: "x" }] }],
    ],
    [
      "a chat completion",
      [{ object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content: "x" } }] }],
    ],
    [
      "what was recorded of HTTP",
      [
        {
          status: 200,
          body: EVENTS.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
        },
      ],
    ],
    ["a response without instructions", [{ ...RESPONSE, instructions: null }]],
    [
      "a batch's answers",
      [
        {
          custom_id: "a",
          response: {
            status_code: 200,
            body: { choices: [{ message: { role: "assistant", content: "x" } }] },
          },
        },
      ],
    ],
  ])("%s without what was asked is a session, which chat formats leave out", (_, values) => {
    const { sessions, notes, problems } = readValues(values);
    expect(problems).toEqual([]);
    expect(notes).toContain(NO_TASK);
    expect(sessions[0]!.started!.task).toBe(UNKNOWN_TASK);
    expect(openaiChat.encode(sessions[0]!)).toEqual([]);
  });
});
