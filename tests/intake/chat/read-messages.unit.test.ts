import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../intake/chat/message.ts";
import { readMessages } from "../../../intake/chat/read-messages.ts";
import { DIALECTS } from "./dialects.ts";
import { openaiMessage } from "./openai-message.ts";

const call = (id: string, name: string, args: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
const ask = { role: "user", content: "weather?" };
const weather = call("c1", "get_weather", '{"city":"Oslo"}');
const rain = { role: "tool", tool_call_id: "c1", content: "rain" };

describe("every dialect says the same", () => {
  test.each(DIALECTS)("$name", ({ values, expected }) => {
    expect(readMessages(values)).toEqual(expected);
  });

  test.each(DIALECTS)("$name, read a second time", ({ expected }) => {
    expect(readMessages(expected)).toEqual(expected);
  });
});

test("OpenAI's own messages come out as the very values that went in", () => {
  fc.assert(
    fc.property(fc.array(openaiMessage), (messages) => {
      const read = readMessages(messages) as ChatMessage[];
      expect(read).toEqual(messages);
      expect(read.every((message, index) => message === messages[index])).toBe(true);
    }),
    { numRuns: 150 },
  );
});

const name = fc.constantFrom("read", "write");
const text = fc.constantFrom("", "a", "{}", '"{}"', '"\\"{}\\""', "[1]");
const part = fc.oneof(
  text,
  fc.record(
    {
      type: fc.constantFrom(
        ...["text", "input_text", "tool_use", "tool_call", "tool_result", "thinking", "reasoning", "image"],
        ...["image_url", "function_call", "refusal", "document", "server_tool_use", "web_search_tool_result"],
      ),
      text,
      value: text,
      content: fc.oneof(text, fc.array(fc.record({ type: fc.constant("text"), text }))),
      id: name,
      call_id: name,
      tool_use_id: name,
      name,
      input: fc.jsonValue(),
      thinking: text,
      signature: text,
      summary: fc.array(fc.record({ type: fc.constant("summary_text"), text })),
      source: fc.record({ data: text, media_type: text, url: text }, { requiredKeys: [] }),
    },
    { requiredKeys: ["type"] },
  ),
);
const geminiPart = fc.record(
  {
    text,
    thought: fc.boolean(),
    functionCall: fc.record({ name, args: fc.jsonValue(), id: name }, { requiredKeys: ["name"] }),
    functionResponse: fc.record({ name, response: fc.jsonValue(), id: name }, { requiredKeys: ["name"] }),
    thoughtSignature: text,
  },
  { requiredKeys: [] },
);
const anyMessage = fc.oneof(
  fc.record(
    {
      role: fc.constantFrom("user", "human", "assistant", "model", "tool", "function", "system"),
      content: fc.oneof(text, fc.array(part), part, fc.constant(null)),
      tool_calls: fc.array(fc.record({ id: name, name, args: fc.jsonValue() }, { requiredKeys: ["name"] })),
      id: name,
      call_id: name,
      tool_call_id: name,
      reasoning_content: text,
      type: fc.constantFrom("message", "human"),
    },
    { requiredKeys: ["role"] },
  ),
  fc.record({ role: fc.constantFrom("user", "model", "function"), parts: fc.array(geminiPart) }),
  fc.record({ from: fc.constantFrom("human", "gpt", "function_call", "observation"), value: text }),
  fc.record(
    {
      type: fc.constantFrom("human", "ai", "tool", "system"),
      content: fc.oneof(text, fc.array(part)),
      id: name,
    },
    { requiredKeys: ["type", "content"] },
  ),
  fc.record(
    {
      type: fc.constantFrom(
        "reasoning",
        "function_call",
        "function_call_output",
        "web_search_call",
        "mcp_call",
      ),
      id: name,
      call_id: name,
      name,
      arguments: text,
      output: fc.oneof(text, fc.jsonValue()),
      summary: fc.array(fc.record({ text })),
    },
    { requiredKeys: ["type", "name"] },
  ),
);

test("what was read once is read as it is", () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 6 }), (values) => {
      const once = readMessages(values);
      fc.pre(typeof once !== "string");
      expect(readMessages(once)).toEqual(once);
    }),
    { numRuns: 400 },
  );
});

describe("what others write that is easily lost", () => {
  test("thoughts and their signatures, in the order in which they were thought", () => {
    const content = [
      { type: "thinking", thinking: "first", signature: "s1" },
      { type: "redacted_thinking", data: "xyz" },
      { type: "thinking", thinking: "second" },
      { type: "text", text: "yes" },
    ];
    expect(readMessages([{ role: "assistant", content }])).toEqual([
      {
        role: "assistant",
        content: "yes",
        reasoning_content: "first\nsecond",
        reasoning_parts: [content[0], content[1]],
      },
    ]);
  });

  test("every reasoning item of one turn", () => {
    const items = [
      { type: "reasoning", id: "r1", summary: [{ type: "summary_text", text: "look" }] },
      { type: "reasoning", id: "r2", summary: [], encrypted_content: "e2" },
      {
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text: "done", annotations: [] }],
      },
    ];
    expect(readMessages(items)).toMatchObject([
      { reasoning_content: "look", reasoning_parts: [{ id: "r1" }, { id: "r2", encrypted_content: "e2" }] },
    ]);
  });

  test("tools that a server lists are no call of the model", () => {
    const listed = { id: "l1", server_label: "files", tools: [{ name: "read", input_schema: {} }] };
    const items = [
      { type: "mcp_list_tools", ...listed },
      { type: "mcp_call", id: "m1", name: "read", arguments: "{}", output: "text", server_label: "files" },
    ];
    const [said, result] = readMessages(items) as ChatMessage[];
    expect(said!.tool_calls).toMatchObject([{ id: "m1", function: { name: "read" } }]);
    expect(said!.mcp_list_tools).toEqual([listed]);
    expect(result).toEqual({ role: "tool", tool_call_id: "m1", content: "text" });
  });

  test("each name of a result: none is thrown away for another", () => {
    const part = { type: "tool_result", tool_use_id: "c1", id: "r1", toolName: "read_file", content: "x" };
    expect(readMessages([{ role: "user", content: [{ ...part, is_error: true }] }])).toEqual([
      { role: "tool", tool_call_id: "c1", id: "r1", name: "read_file", content: "x", is_error: true },
    ]);
  });

  test("several results in one message of a tool", () => {
    const part = (id: string) => ({
      type: "tool-result",
      toolCallId: id,
      toolName: "read",
      output: { type: "text", value: id },
    });
    expect(readMessages([{ role: "tool", content: [part("c1"), part("c2")] }])).toEqual([
      { role: "tool", tool_call_id: "c1", name: "read", content: "c1" },
      { role: "tool", tool_call_id: "c2", name: "read", content: "c2" },
    ]);
  });

  test("calls in the value of one part, and a value that is none", () => {
    const part = (value: string) => [{ role: "assistant", content: [{ type: "tool_call", value }] }];
    const two = '[{"name":"a","arguments":{}},{"name":"b","arguments":{}}]';
    expect(readMessages(part(two))).toMatchObject([
      { content: null, tool_calls: [{ function: { name: "a" } }, { function: { name: "b" } }] },
    ]);
    for (const value of ["[]", "soon", "[5]"]) expect(readMessages(part(value))).toEqual(part(value));
  });

  test("what an image says of itself besides", () => {
    const source = { type: "base64", media_type: "image/png", data: "aGk=" };
    const part = { type: "image", source, cache_control: { type: "ephemeral" } };
    expect(readMessages([{ role: "user", content: [part, { type: "text", text: "?" }] }])).toEqual([
      {
        role: "user",
        content: [
          {
            type: "image_url",
            cache_control: { type: "ephemeral" },
            image_url: { url: "data:image/png;base64,aGk=" },
          },
          { type: "text", text: "?" },
        ],
      },
    ]);
  });

  test("a result before its call, two calls with one id and calls that are null stay as they are", () => {
    const messages = [
      ask,
      rain,
      { role: "assistant", content: null, tool_calls: [weather, weather] },
      { role: "assistant", content: "It rains.", tool_calls: null },
    ];
    expect(readMessages(messages)).toEqual(messages);
  });
});

describe("what is no message says why, and where", () => {
  test.each([
    [[5], "[0] is not an object"],
    [[ask, { content: "x" }], "[1].role is missing"],
    [[{ role: "wizard", content: "x" }], "[0].role is not one of system, developer, user, assistant, tool"],
    [[{ role: "user", content: 5 }], "[0].content is not a text, null or a list of parts"],
    [[{ role: "user", content: [5] }], "[0].content is not a text, null or a list of parts"],
    [[{ role: "assistant", tool_calls: {} }], "[0].tool_calls is not a list"],
    [[{ role: "assistant", tool_calls: [{}] }], "[0].tool_calls[0].function is not an object"],
    [
      [{ role: "assistant", tool_calls: [{ function: {} }] }],
      "[0].tool_calls[0].function.name is not a text",
    ],
    [[{ role: "assistant", function_call: "x" }], "[0].function_call is not an object"],
    [[{ from: "wizard", value: "x" }], "[0].from is not one of system, human, gpt"],
  ])("%j", (values, reason) => {
    expect(readMessages(values)).toContain(reason);
  });
});
