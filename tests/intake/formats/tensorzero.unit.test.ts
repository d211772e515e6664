import { describe, expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf, messagesOf } from "./conversations.ts";

const ID = "019562dc-d5b0-7e43-800d-3a5d37ec37a3";
const EPISODE = "019562dc-d5b0-7e43-800d-3a6c90389054";
const TOOL = {
  name: "weather",
  description: "Weather",
  parameters: { type: "object", properties: {} },
  strict: false,
};
const TEMPLATES =
  "the texts of templates are not in the file: what was filled into them stands as JSON in their place";

const INPUT = {
  system: "Be brief.",
  messages: [
    { role: "user", content: [{ type: "text", text: "Weather in Oslo?" }] },
    {
      role: "assistant",
      content: [{ type: "tool_call", id: "c1", name: "weather", arguments: '{"city":"Oslo"}' }],
    },
    { role: "user", content: [{ type: "tool_result", id: "c1", name: "weather", result: "rain" }] },
  ],
};
const OUTPUT = [
  { type: "thought", text: "It said rain.", signature: "s" },
  { type: "text", text: "It rains." },
];
/** As the database exports it: structures are JSON text. */
const inference = (rest: Record<string, unknown> = {}) => ({
  id: ID,
  function_name: "forecast",
  variant_name: "gpt",
  episode_id: EPISODE,
  input: JSON.stringify(INPUT),
  output: JSON.stringify(OUTPUT),
  tool_params: JSON.stringify({ tools_available: [TOOL], tool_choice: "auto", parallel_tool_calls: null }),
  inference_params: JSON.stringify({ chat_completion: { temperature: 0.5 } }),
  processing_time_ms: 1500,
  timestamp: "2025-03-04T22:14:21Z",
  tags: { user: "ann" },
  ...rest,
});
const ELSEWHERE = { timestamp: "the session's start", type: "OpenAI's shape", strict: "kept" };

test("an inference is a session", () => {
  const { formats, sessions } = expectAccountedFor([inference()], ELSEWHERE);
  expect(formats).toEqual(["tensorzero"]);
  expect(sessions[0]).toMatchObject({
    duration_us: 1_500_000,
    created_at: 1_741_126_461_000_000,
    final_answer: "It rains.",
    started: {
      agent: "forecast",
      external_id: ID,
      group_id: null,
      tags: ["user:ann"],
      task: "Weather in Oslo?",
      tools_source: "declared",
    },
  });
  const [conversation] = conversationsOf(inference());
  expect(conversation!.tools).toMatchObject([
    { type: "function", function: { name: "weather", strict: false } },
  ]);
  expect(callsOf(conversation!)).toEqual(['weather({"city":"Oslo"}) → rain']);
  expect(messagesOf(conversation!).map(({ role }) => role)).toEqual([
    "system",
    "user",
    "assistant",
    "tool",
    "assistant",
  ]);
  expect(messagesOf(conversation!).at(-1)).toMatchObject({
    content: "It rains.",
    reasoning_content: "It said rain.",
  });
});

test("structures that are no JSON text are read too, and a time that stands in the id alone", () => {
  const { timestamp: _, ...row } = inference({
    input: INPUT,
    output: OUTPUT,
    tool_params: { tools_available: [TOOL] },
  });
  expectAccountedFor([row], ELSEWHERE);
  expect(onlySession(row).created_at).toBe(0x019562dcd5b0 * 1000);
});

describe("datapoints", () => {
  const datapoint = (rest: Record<string, unknown>) => ({
    dataset_name: "haikus",
    function_name: "write_haiku",
    id: ID,
    episode_id: null,
    tool_params: null,
    tags: {},
    auxiliary: "",
    is_deleted: false,
    updated_at: "2025-03-10 20:14:21.000000",
    ...rest,
  });
  const template = { type: "template", name: "user", arguments: { topic: "company" } };

  test("what was filled into a template is what the user said", () => {
    const input = { system: { tone: "calm" }, messages: [{ role: "user", content: [template] }] };
    const row = datapoint({
      input: JSON.stringify(input),
      output: JSON.stringify([{ type: "text", text: "A haiku" }]),
    });
    const { notes } = expectAccountedFor([row], ELSEWHERE);
    expect(notes).toEqual([TEMPLATES]);
    const [conversation] = conversationsOf(row);
    expect(messagesOf(conversation!)).toEqual([
      { role: "system", content: '{"tone":"calm"}' },
      { role: "user", content: [{ type: "text", text: '{"topic":"company"}', template: "user" }] },
      { role: "assistant", content: [{ type: "text", text: "A haiku" }] },
    ]);
    expect(onlySession(row)).toMatchObject({
      final_answer: "A haiku",
      started: { task: '{"topic":"company"}' },
    });
  });

  test.each([
    ["the older text of a template", [{ type: "text", value: { topic: "company" } }]],
    ["arguments in a text", [{ type: "text", arguments: { topic: "company" } }]],
    ["a content that is the arguments", { topic: "company" }],
  ])("%s", (_, content) => {
    const row = datapoint({ input: { messages: [{ role: "user", content }] }, output: null });
    expectAccountedFor([row], ELSEWHERE);
    expect(onlySession(row)).toMatchObject({ final_answer: null, started: { task: '{"topic":"company"}' } });
  });

  test("a content that is a text, raw text, and images", () => {
    const images = [
      { type: "raw_text", value: "Who is it?" },
      { type: "image", url: "https://x.test/a.png" },
      { type: "image", data: "aGk=", mime_type: "image/png" },
      { type: "file", storage_path: { kind: { type: "s3" }, path: "a.png" } },
    ];
    const messages = [
      { role: "user", content: "Look." },
      { role: "user", content: images },
    ];
    const row = datapoint({ input: { messages }, output: [{ type: "text", text: "Ann" }] });
    expectAccountedFor([row], { ...ELSEWHERE, mime_type: "in the address" });
    expect(messagesOf(conversationsOf(row)[0]!)[1]!.content).toEqual([
      { type: "text", text: "Who is it?" },
      { type: "image_url", image_url: { url: "https://x.test/a.png" } },
      { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } },
      images[3],
    ]);
  });

  test("JSON functions: what the model wrote is its answer", () => {
    const input = { messages: [{ role: "user", content: "Sum 2 and 3" }] };
    const outputs = { raw: '{"sum": 5}', parsed: { sum: 5 } };
    const schema = { type: "object", properties: { sum: { type: "number" } } };
    const row = datapoint({ input, output: JSON.stringify(outputs), output_schema: JSON.stringify(schema) });
    expectAccountedFor([row], ELSEWHERE);
    expect(onlySession(row).final_answer).toBe('{"sum": 5}');
    const repaired = datapoint({ input, output: { raw: "sum is 5", parsed: { sum: 5 } } });
    expectAccountedFor([repaired], ELSEWHERE);
    expect(messagesOf(conversationsOf(repaired)[0]!)[1]).toEqual({
      role: "assistant",
      content: "sum is 5",
      parsed: { sum: 5 },
    });
    expect(onlySession(datapoint({ input, output: { parsed: { sum: 5 } } })).final_answer).toBe('{"sum":5}');
  });
});

test("calls as the model wrote them, and as they were read", () => {
  const call = { type: "tool_call", id: "c1", raw_name: "weather", raw_arguments: '{"city":"Oslo"}' };
  const read = { ...call, name: "weather", arguments: { city: "Oslo" } };
  const odd = { ...call, id: "c2", raw_arguments: '{"city":', name: null, arguments: null };
  const row = inference({ output: [read, odd] });
  expectAccountedFor([row], ELSEWHERE);
  expect(messagesOf(conversationsOf(row)[0]!).at(-1)!.tool_calls).toEqual([
    { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } },
    { id: "c2", type: "function", function: { name: "weather", arguments: '{"city":' } },
  ]);
});

test("a datapoint that was deleted is told", () => {
  const row = inference({ dataset_name: "d", is_deleted: true });
  const { notes } = expectAccountedFor([row], ELSEWHERE);
  expect(notes).toEqual(["the datapoint is marked as deleted: it is imported all the same"]);
});

test("what has no conversation in it says so", () => {
  expect(readValues([inference({ input: "{}", output: null })]).problems).toEqual([
    "input.messages is empty",
  ]);
  expect(readValues([inference({ input: "oops" })]).problems).toEqual([
    "input is not an object with messages",
  ]);
  expect(
    readValues([inference({ input: { messages: [{ role: "wizard", content: "x" }] } })]).problems[0],
  ).toContain("messages[0].role is not one of");
});
