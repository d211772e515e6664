import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../intake/chat/message.ts";
import { readRow } from "../import/recorded-rows.ts";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";

const hi = { role: "user", content: "hi" };
const hello = { role: "assistant", content: "hello" };
const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const TOOL = {
  type: "function",
  function: { name: "get_weather", description: "Weather", parameters: CITY },
};

/** The messages of the one conversation in a row. */
const chatOf = (value: unknown): ChatMessage[] =>
  readRow(JSON.stringify(value)).found!.conversation.messages.map(({ message }) => message);
const conversationOf = (value: unknown) => readRow(JSON.stringify(value)).found!.conversation;

const chatCompletion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_764_000_000,
  model: "gpt-x",
  choices: [{ index: 0, finish_reason: "stop", message: hello, logprobs: null }],
  usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
};
const anthropicMessage = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-x",
  content: [
    { type: "thinking", thinking: "hm", signature: "s" },
    { type: "text", text: "hello" },
  ],
  stop_reason: "end_turn",
  usage: { input_tokens: 3, output_tokens: 2, cache_read_input_tokens: 4 },
};
const geminiReply = {
  candidates: [{ content: { role: "model", parts: [{ text: "hello" }] }, finishReason: "STOP", index: 0 }],
  usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 2, thoughtsTokenCount: 5, totalTokenCount: 14 },
  modelVersion: "gemini-x",
};
const responsesObject = {
  id: "resp_1",
  object: "response",
  model: "gpt-x",
  output: [
    { type: "message", id: "m1", role: "assistant", content: [{ type: "output_text", text: "hello" }] },
  ],
  usage: { input_tokens: 7, output_tokens: 2, output_tokens_details: { reasoning_tokens: 1 } },
};

describe("an answer that stands apart is not lost", () => {
  const rows: [string, Record<string, unknown>][] = [
    ["a text", { messages: [hi], response: "hello" }],
    ["a message", { messages: [hi], response: hello }],
    ["a chat completion", { messages: [hi], response: chatCompletion }],
    ["a chat completion as JSON text", { messages: [hi], response: JSON.stringify(chatCompletion) }],
    ["choices beside the messages", { ...chatCompletion, messages: [hi] }],
    ["Anthropic's message", { messages: [hi], response: anthropicMessage }],
    ["Gemini's reply", { contents: [{ role: "user", parts: [{ text: "hi" }] }], response: geminiReply }],
    ["Gemini's candidates", { contents: [{ role: "user", parts: [{ text: "hi" }] }], ...geminiReply }],
    ["a Responses object", { input: "hi", ...responsesObject }],
    ["items in and out", { input: [hi], output: responsesObject.output }],
    ["prompt and completion as texts", { prompt: "hi", completion: "hello" }],
    ["prompt and completion as lists", { prompt: [hi], completion: [hello] }],
    ["prompt and response", { prompt: "hi", response: "hello" }],
    ["messages and output", { messages: [hi], output: "hello" }],
    ["a request and its response", { request: { model: "gpt-x", messages: [hi] }, response: chatCompletion }],
    [
      "the answer of a batch",
      { request: { contents: [{ role: "user", parts: [{ text: "hi" }] }] }, response: geminiReply },
    ],
    [
      "the body of a batch's answer",
      { body: { messages: [hi] }, response: { status_code: 200, body: chatCompletion } },
    ],
    ["an answer that the messages end with already", { messages: [hi, hello], response: chatCompletion }],
  ];

  test.each(rows)("%s", (_, row) => {
    const texts = onlySession(row).final_answer;
    expect(texts).toBe("hello");
    expect(chatOf(row).map(({ role }) => role)).toEqual(["user", "assistant"]);
    expectAccountedFor([row], { type: "what it is, is said in OpenAI's way", role: "so is who says it" });
  });

  test.each([
    ["OpenAI", chatCompletion, { prompt: 7, completion: 2, total: 9 }],
    ["Anthropic", anthropicMessage, { prompt: 7, completion: 2, cached: 4 }],
    ["Gemini", geminiReply, { prompt: 7, completion: 7, total: 14, reasoning: 5 }],
    ["Responses", responsesObject, { prompt: 7, completion: 2, reasoning: 1 }],
  ])("with what it took: %s", (_, response, usage) => {
    expect(conversationOf({ messages: [hi], response }).messages[1]!.usage).toMatchObject(usage);
  });

  test("what LangChain's messages say that they took", () => {
    const response_metadata = { token_usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 } };
    const row = {
      messages: [
        { type: "human", content: "hi" },
        { type: "ai", content: "hello", response_metadata },
      ],
    };
    expect(conversationOf(row).messages[1]!.usage).toMatchObject({ prompt: 7, completion: 2, total: 9 });
  });

  test("of several answers the first is taken, and the others are kept and told", () => {
    const other = { index: 1, message: { role: "assistant", content: "good day" } };
    const row = {
      messages: [hi],
      response: { ...chatCompletion, choices: [...chatCompletion.choices, other] },
    };
    expect(expectAccountedFor([row]).notes).toEqual([
      "there are 2 answers: the first is taken, the others are kept as metadata",
    ]);
    expect(onlySession(row).final_answer).toBe("hello");
  });

  test("what is no answer is kept and told", () => {
    const row = { messages: [hi, hello], response: { verdict: "fine" } };
    expect(expectAccountedFor([row]).notes).toEqual([
      "response is no answer of a form that is known: it is kept with the metadata",
    ]);
  });
});

describe("what a row says beside its messages", () => {
  test.each([
    ["OpenAI", { tools: [TOOL] }],
    ["OpenAI, as JSON text", { tools: JSON.stringify([TOOL]) }],
    ["flat", { tools: [{ type: "function", ...TOOL.function }] }],
    ["legacy functions", { functions: [TOOL.function] }],
    ["Anthropic", { tools: [{ name: "get_weather", description: "Weather", input_schema: CITY }] }],
    ["Gemini", { tools: [{ functionDeclarations: [TOOL.function] }] }],
    ["in the request", { request: { messages: [hi], tools: [TOOL] }, messages: undefined, response: "x" }],
  ])("tools: %s", (_, row) => {
    expect(conversationOf({ messages: [hi, hello], ...row }).tools).toEqual([TOOL]);
  });

  test("a tool that is none keeps the whole list, and a custom tool is one", () => {
    const row = { messages: [hi, hello], tools: [TOOL, { googleSearch: {}, threshold: 0.25 }] };
    expectAccountedFor([row]);
    expect(conversationOf(row).tools).toBeUndefined();
    const custom = { type: "custom", custom: { name: "sql", format: { type: "text" } } };
    expect(conversationOf({ messages: [hi, hello], tools: [custom] }).tools).toEqual([custom]);
  });

  test.each([
    ["a text", { system: "Be brief." }, "Be brief."],
    ["parts", { system: [{ type: "text", text: "Be brief." }] }, [{ type: "text", text: "Be brief." }]],
    ["Gemini", { systemInstruction: { parts: [{ text: "Be brief." }] } }, "Be brief."],
    [
      "instructions",
      { input: [hi], messages: undefined, instructions: "Be brief.", output: [hello] },
      "Be brief.",
    ],
  ])("the system's words: %s", (_, row, content) => {
    expect(chatOf({ messages: [hi, hello], ...row })).toEqual([{ role: "system", content }, hi, hello]);
  });

  test("the system's words are not said twice", () => {
    const messages = [{ role: "system", content: "Be brief." }, hi, hello];
    expect(chatOf({ messages, system: "Be brief." })).toEqual(messages);
  });

  test("everything of a request: weights, names, and how it was asked", () => {
    const messages = [
      { role: "developer", content: "Be brief." },
      { ...hi, name: "ann" },
      { ...hello, weight: 0 },
      { role: "user", content: "and?" },
      { role: "assistant", content: null, refusal: "I will not say more." },
    ];
    const row = { messages, parallel_tool_calls: false, temperature: 0.5, seed: 12345678901234567890n };
    const text = JSON.stringify(row, (_, value) => (typeof value === "bigint" ? 12345 : value));
    expectAccountedFor([JSON.parse(text)]);
    expect(chatOf(JSON.parse(text))).toEqual(messages);
    expect(onlySession(JSON.parse(text)).final_answer).toBe("I will not say more.");
  });

  test("messages, tools and metadata as JSON text", () => {
    const row = {
      messages: JSON.stringify([hi, hello]),
      tools: JSON.stringify([TOOL]),
      metadata: JSON.stringify({ agent: "helper", group_id: "g1", learning_key: "greetings" }),
    };
    expectAccountedFor([row]);
    expect(conversationOf(row)).toMatchObject({
      tools: [TOOL],
      agent: "helper",
      groupId: "g1",
      learningKey: "greetings",
    });
  });

  test("images stand where the text marks them", () => {
    const messages = [{ role: "user", content: "<image>Who is it? <image>" }, hello];
    const row = { messages, images: ["a.jpg", "b.jpg"] };
    expectAccountedFor([row], { content: "its marks became the images" });
    expect(chatOf(row)[0]!.content).toEqual([
      { type: "image_url", image_url: { url: "a.jpg" } },
      { type: "text", text: "Who is it? " },
      { type: "image_url", image_url: { url: "b.jpg" } },
    ]);
    const odd = { messages, images: ["a.jpg"] };
    expect(expectAccountedFor([odd]).notes).toEqual([
      "there are not as many marks such as <image> as media: the texts stay, and the media are metadata",
    ]);
  });

  test("facts: id, reward, status, times, group, truth, error", () => {
    const row = {
      id: 7,
      messages: [
        { ...hi, timestamp: "2025-06-01T10:00:00Z" },
        { ...hello, timestamp: 1_748_772_005 },
      ],
      reward: "0.7",
      error: "the tool timed out",
      started_at: "2025-06-01T09:59:00Z",
      ended_at: "2025-06-01T10:01:00Z",
      group_id: "g",
      ground_truth: "hello",
      split: "train",
    };
    expectAccountedFor([row], {
      id: "its text",
      reward: "its number",
      started_at: "the session's start",
      ended_at: "its end",
      timestamp: "its time",
    });
    expect(conversationOf(row)).toMatchObject({
      id: "7",
      reward: 0.7,
      status: "failed",
      error: "the tool timed out",
      startedAt: 1_748_771_940_000_000,
      endedAt: 1_748_772_060_000_000,
      groupId: "g",
      groundTruth: "hello",
      messages: [{ at: 1_748_772_000_000_000 }, { at: 1_748_772_005_000_000 }],
      metadata: { recorded: { split: "train" } },
    });
  });

  test("a field that is off never costs the row: it is kept and told", () => {
    const row = {
      messages: [hi, hello],
      reward: "good",
      status: "odd",
      metadata: "x",
      task: 5,
      created_at: "yesterday",
    };
    const { notes, sessions } = expectAccountedFor([row]);
    expect(sessions).toHaveLength(1);
    expect(notes).toEqual([
      "metadata is not an object: it is kept with the metadata",
      "task is not a text: it is kept with the metadata",
      "reward is not a number: it is kept with the metadata",
      "status is not a word for succeeded, failed or cancelled: it is kept with the metadata",
      "created_at is no time between 1970 and 2254: it is kept, and not used",
    ]);
    const key = { messages: [hi, hello], metadata: { learning_key: "a\0b" } };
    expect(readValues([key]).notes).toEqual([
      "learning_key is not a name of 1 to 512 characters: it is kept with the metadata",
    ]);
  });
});

describe("a row that is none says why", () => {
  test.each([
    ["null", "no known format: no `messages`; found null"],
    ["5", "no known format: no `messages`; found a number"],
    ["[]", "no known format: no `messages`; found a list"],
    ["{}", "found an object without fields"],
    ['{"messages": null}', "messages is missing"],
    ['{"messages": {}}', "messages is not a list of messages"],
    ['{"messages": []}', "messages is empty"],
    ['{"messages": [5]}', "messages[0] is not an object"],
    ['{"messages": [{"content": "x"}]}', "messages[0].role is missing"],
    ['{"messages": [{"role": "wizard", "content": "x"}]}', "messages[0].role is not one of"],
    ['{"messages": NaN}', "messages is missing"],
    ['{"messages": [', "it is not valid JSON: Unexpected end of JSON input"],
  ])("%s", (source, reason) => {
    expect(readRow(source).reason).toContain(reason);
  });

  test("deep nesting is refused, not a crash", () => {
    const deep = (levels: number) =>
      `{"messages": [{"role": "user", "content": "hi"}], "x": ${"[".repeat(levels)}${"]".repeat(levels)}}`;
    expect(readRow(deep(500)).found).toBeDefined();
    expect(readRow(deep(200_000)).reason).toBe("it is nested more than 512 levels deep");
  });

  test("a reason or a note never repeats what was recorded", () => {
    for (const source of [
      '{"a": "hunter2" "b"}',
      '{"messages": [{"role": "hunter2"}]}',
      '{"hunter2',
      '{"messages": "hunter2"}',
      '{"messages": [{"role": "user", "content": "hi"}], "status": "hunter2", "reward": "hunter2"}',
      '{"messages": [{"role": "user", "content": "hi", "timestamp": "hunter2"}], "response": {"a": "hunter2"}}',
      '{"conversations": [{"from": "hunter2", "value": "x"}]}',
    ]) {
      const { reason = "", notes } = readRow(source);
      expect([reason, ...notes].join()).not.toContain("hunter2");
      expect([reason, ...notes].join()).not.toBe("");
    }
  });

  test("whatever the text is, the answer is a conversation or a reason", () => {
    const settled = (source: string) => {
      const { found, reason } = readRow(source);
      expect(found !== undefined || reason !== undefined).toBe(true);
    };
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json({ stringUnit: "binary" })), settled),
    );
    const field = fc.jsonValue({ maxDepth: 2 });
    const odd = fc.record(
      {
        messages: fc.oneof(field, fc.array(fc.oneof(field, fc.constant(hi)))),
        prompt: field,
        response: fc.oneof(field, fc.record({ choices: fc.array(fc.record({ message: field })) })),
        input: field,
        output: field,
        contents: field,
        candidates: fc.array(fc.record({ content: field })),
        request: fc.record({ messages: field }),
        system: field,
        tools: field,
        images: field,
        reward: field,
        metadata: field,
        timestamp: field,
        usage: field,
      },
      { requiredKeys: ["messages"] },
    );
    fc.assert(
      fc.property(odd, (value) => settled(JSON.stringify(value))),
      { numRuns: 60 },
    );
  });
});
