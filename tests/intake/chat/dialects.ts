/** One conversation in many ways of writing it. */
interface Written {
  name: string;
  values: unknown[];
  expected: Record<string, unknown>[];
}

const ask = { role: "user", content: "Weather in Oslo?" };
const args = '{"city":"Oslo"}';
const called = (extra: object = {}, id: string | undefined = "c1") => ({
  ...(id !== undefined && { id }),
  type: "function",
  function: { name: "get_weather", arguments: args },
  ...extra,
});
const calling = (content: string | null = null, call: object = called()) => ({
  role: "assistant",
  content,
  tool_calls: [call],
});
const rain = { role: "tool", tool_call_id: "c1", content: "rain" };
const answer = { role: "assistant", content: "It rains." };
const plain = [ask, calling(), rain, answer];
const city = { city: "Oslo" };

/** Messages that differ in one thing from OpenAI's. */
const withCall = (name: string, call: unknown, expected: object = called()): Written => ({
  name,
  values: [ask, { role: "assistant", content: null, tool_calls: [call] }],
  expected: [ask, calling(null, expected)],
});

export const DIALECTS: readonly Written[] = [
  { name: "OpenAI", values: plain, expected: plain },
  withCall("a flat call", { id: "c1", name: "get_weather", arguments: args }),
  withCall("a flat call with arguments as an object", { id: "c1", name: "get_weather", args: city }),
  withCall("the function as a text", {
    id: "c1",
    type: "function",
    function: "get_weather",
    arguments: city,
  }),
  withCall("arguments as an object", {
    id: "c1",
    type: "function",
    function: { name: "get_weather", arguments: city },
  }),
  withCall("arguments that were encoded twice", {
    id: "c1",
    type: "function",
    function: { name: "get_weather", arguments: JSON.stringify(args) },
  }),
  withCall("LangChain's call", { id: "c1", name: "get_weather", args: city, type: "tool_call" }),
  withCall("a call with a number for its id", { ...called(), id: 7 }, called({ id: "7" })),
  withCall("the AI SDK's call", { toolCallId: "c1", toolName: "get_weather", args: city }),
  {
    name: "calls as JSON text",
    values: [ask, { role: "assistant", content: null, tool_calls: JSON.stringify([called()]) }],
    expected: [ask, calling()],
  },
  {
    name: "legacy functions",
    values: [
      ask,
      { role: "assistant", content: null, function_call: { name: "get_weather", arguments: city } },
      { role: "function", name: "get_weather", content: "rain" },
    ],
    expected: [
      ask,
      { role: "assistant", content: null, function_call: { name: "get_weather", arguments: args } },
      { role: "function", name: "get_weather", content: "rain" },
    ],
  },
  {
    name: "Anthropic",
    values: [
      ask,
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me see." },
          { type: "tool_use", id: "c1", name: "get_weather", input: city },
        ],
      },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: "rain" }] }],
      },
      { role: "assistant", content: "It rains." },
    ],
    expected: [ask, calling("Let me see."), rain, answer],
  },
  {
    name: "Anthropic: a result and a question in one turn",
    values: [
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "c1", content: "rain" },
          { type: "text", text: "And tomorrow?" },
        ],
      },
    ],
    expected: [rain, { role: "user", content: "And tomorrow?" }],
  },
  {
    name: "Responses items",
    values: [
      { role: "user", content: [{ type: "input_text", text: "Weather in Oslo?" }] },
      { type: "reasoning", id: "r1", summary: [{ type: "summary_text", text: "I look." }] },
      {
        type: "function_call",
        id: "f1",
        call_id: "c1",
        name: "get_weather",
        arguments: args,
        status: "completed",
      },
      { type: "function_call_output", call_id: "c1", output: "rain" },
      {
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text: "It rains.", annotations: [] }],
      },
    ],
    expected: [
      ask,
      {
        ...calling(null, called({ item_id: "f1", status: "completed" })),
        reasoning_content: "I look.",
        reasoning_parts: [{ type: "reasoning", id: "r1" }],
      },
      rain,
      { role: "assistant", content: [{ type: "text", text: "It rains.", annotations: [] }] },
    ],
  },
  {
    name: "Responses: a tool of free text, and a shell's output",
    values: [
      { type: "custom_tool_call", call_id: "c1", name: "sql", input: "select 1" },
      { type: "custom_tool_call_output", call_id: "c1", output: "1" },
      { type: "local_shell_call_output", call_id: "c2", output: "ok" },
    ],
    expected: [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "custom", custom: { name: "sql", input: "select 1" } }],
      },
      { role: "tool", tool_call_id: "c1", content: "1" },
      { role: "tool", tool_call_id: "c2", content: "ok" },
    ],
  },
  {
    name: "Gemini",
    values: [
      { role: "user", parts: [{ text: "Weather in Oslo?" }] },
      {
        role: "model",
        parts: [{ text: "hm", thought: true }, { functionCall: { name: "get_weather", args: city } }],
      },
      { role: "user", parts: [{ functionResponse: { name: "get_weather", response: { sky: "rain" } } }] },
      { role: "model", parts: [{ text: "It rains." }] },
    ],
    expected: [
      ask,
      { ...calling(null, called({}, undefined)), reasoning_content: "hm", tool_calls: [withoutId()] },
      { role: "tool", name: "get_weather", content: '{"sky":"rain"}' },
      answer,
    ],
  },
  {
    name: "LangChain",
    values: [
      { type: "human", content: "Weather in Oslo?" },
      {
        type: "ai",
        content: "",
        tool_calls: [{ id: "c1", name: "get_weather", args: city, type: "tool_call" }],
      },
      { type: "tool", content: "rain", tool_call_id: "c1" },
      {
        lc: 1,
        type: "constructor",
        id: ["langchain", "schema", "AIMessage"],
        kwargs: { content: "It rains." },
      },
    ],
    expected: [ask, { ...calling(""), content: "" }, rain, answer],
  },
  {
    name: "LangChain: a message of any role",
    values: [{ type: "chat", data: { role: "assistant", content: "hello" } }],
    expected: [{ role: "assistant", content: "hello" }],
  },
  {
    name: "ShareGPT",
    values: [
      { from: "human", value: "Weather in Oslo?" },
      { from: "function_call", value: JSON.stringify({ name: "get_weather", arguments: city }) },
      { from: "observation", value: "rain" },
      { from: "gpt", value: "It rains." },
    ],
    expected: [ask, calling(null, withoutId()), { role: "tool", content: "rain" }, answer],
  },
  {
    name: "LLaMA-Factory's parts",
    values: [
      {
        role: "user",
        content: [
          { type: "image_url", value: "a.jpg" },
          { type: "text", value: "Who?" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "reasoning", value: "I look." },
          { type: "tool_call", value: JSON.stringify({ name: "get_weather", arguments: city }) },
        ],
        loss_weight: 1,
      },
      { role: "tool", content: [{ type: "text", value: "rain" }] },
    ],
    expected: [
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "a.jpg" } },
          { type: "text", text: "Who?" },
        ],
      },
      { ...calling(null, withoutId()), reasoning_content: "I look.", loss_weight: 1 },
      { role: "tool", content: "rain" },
    ],
  },
  {
    name: "OpenTelemetry's parts",
    values: [
      { role: "user", parts: [{ type: "text", content: "Weather in Oslo?" }] },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "get_weather", arguments: city }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "rain" }] },
    ],
    expected: [ask, calling(), rain],
  },
  {
    name: "contents that are objects",
    values: [
      { role: "user", content: { type: "text", text: "Weather in Oslo?" } },
      { role: "user", content: { content_type: "text", parts: ["Weather in Oslo?"] } },
      { role: "user", content: { city: "Oslo" } },
    ],
    expected: [
      ask,
      { role: "user", content: ["Weather in Oslo?"], content_type: "text" },
      { role: "user", content: args },
    ],
  },
  {
    name: "roles by other names",
    values: [
      { role: "developer", content: "Be brief." },
      { role: "human", content: "hi" },
      { role: "model", content: "hello" },
    ],
    expected: [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "hi" },
      { role: "assistant", content: "hello" },
    ],
  },
];

function withoutId(): object {
  const { id: _, ...rest } = called();
  return rest;
}
