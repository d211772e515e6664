import { describe, expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf, messagesOf } from "./conversations.ts";

const TOOL = { name: "weather", description: "Weather", parameters: { type: "object", properties: {} } };
const ELSEWHERE = { from: "OpenAI's roles", value: "content, calls and results" };
const turn = (from: string, value: string) => ({ from, value });
const weather = (city: string) => JSON.stringify({ name: "weather", arguments: { city } });

describe("ShareGPT", () => {
  test("calls and what was observed are paired; tools and the system's words stand beside", () => {
    const row = {
      conversations: [
        turn("human", "Weather in Oslo?"),
        turn("function_call", weather("Oslo")),
        turn("observation", '{"sky":"rain"}'),
        { ...turn("gpt", "It rains."), weight: 1 },
      ],
      system: "Be brief.",
      tools: JSON.stringify([TOOL]),
      source: "made up",
    };
    const { formats } = expectAccountedFor([row], ELSEWHERE);
    expect(formats).toEqual(["sharegpt"]);
    const [conversation] = conversationsOf(row);
    expect(conversation!.tools).toEqual([{ type: "function", function: TOOL }]);
    expect(callsOf(conversation!)).toEqual(['weather({"city":"Oslo"}) → {"sky":"rain"}']);
    expect(messagesOf(conversation!)).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Weather in Oslo?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }],
      },
      { role: "tool", content: '{"sky":"rain"}' },
      { role: "assistant", content: "It rains.", weight: 1 },
    ]);
  });

  test("parallel calls take their results from one list", () => {
    const calls = `[${weather("Oslo")},${weather("Rome")}]`;
    const row = {
      conversations: [
        turn("human", "Oslo and Rome?"),
        turn("function_call", calls),
        turn("observation", '["rain",{"sky":"sun"}]'),
      ],
    };
    expect(callsOf(conversationsOf(row)[0]!)).toEqual([
      'weather({"city":"Oslo"}) → rain',
      'weather({"city":"Rome"}) → {"sky":"sun"}',
    ]);
  });

  test("Hermes' tags, in JSON and as Python prints it", () => {
    const python =
      "<tool_call>\n{'arguments': {'city': \"Rome's\", 'now': True}, 'name': 'weather'}\n</tool_call>";
    const row = {
      id: "h1",
      conversations: [
        turn("system", `You may call <tools>${JSON.stringify([TOOL])}</tools>`),
        turn("human", "Oslo and Rome?"),
        turn("gpt", `I look.\n<tool_call>\n${weather("Oslo")}\n</tool_call>\n${python}`),
        turn(
          "tool",
          '<tool_response>\n{"name":"weather","content":"rain"}\n</tool_response>\n<tool_response>\nsun\n</tool_response>',
        ),
        turn("gpt", "Rain, and sun."),
      ],
      tools: "[]",
      category: "Weather",
    };
    const [conversation] = conversationsOf(row);
    expect(callsOf(conversation!)).toEqual([
      'weather({"city":"Oslo"}) → {"name":"weather","content":"rain"}',
      'weather({"city":"Rome\'s","now":true}) → sun',
    ]);
    expect(messagesOf(conversation!)[2]!.content).toBe("I look.");
    expect(conversation).toMatchObject({ id: "h1", metadata: { recorded: { category: "Weather" } } });
  });

  test.each([
    ["a tag that holds no call", "gpt", "<tool_call>soon</tool_call>"],
    ["a call that is no JSON", "function_call", "weather(Oslo)"],
  ])("%s stays what it is", (_, from, value) => {
    const row = { conversations: [turn("human", "hi"), turn(from, value)] };
    expectAccountedFor([row], { from: "roles" });
    expect(onlySession(row).final_answer).toBe(value);
  });

  test("turns in OpenAI's way, a list as JSON text, and images in their places", () => {
    const turns = [
      { role: "user", content: "<image>Who?" },
      { role: "assistant", content: "Ann" },
    ];
    const row = { conversations: JSON.stringify(turns), images: ["a.jpg"] };
    expect(messagesOf(conversationsOf(row)[0]!)[0]!.content).toEqual([
      { type: "image_url", image_url: { url: "a.jpg" } },
      { type: "text", text: "Who?" },
    ]);
    expect(onlySession({ conversation: turns }).final_answer).toBe("Ann");
  });

  test("what is none says so", () => {
    expect(readValues([{ conversations: [] }]).problems).toEqual(["conversations is empty"]);
    expect(readValues([{ conversations: [turn("wizard", "x")] }]).problems).toEqual([
      "conversations[0].from is not one of system, human, gpt, function_call, observation",
    ]);
  });
});

describe("Alpaca", () => {
  test("an instruction, what it is about, earlier rounds, and the answer", () => {
    const row = {
      instruction: "Translate.",
      input: "Guten Tag",
      output: "Good day",
      system: "Be exact.",
      history: [["Hi", "Hello"]],
      split: "train",
    };
    const { formats } = expectAccountedFor([row]);
    expect(formats).toEqual(["alpaca"]);
    expect(messagesOf(conversationsOf(row)[0]!)).toEqual([
      { role: "system", content: "Be exact." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "Translate.\nGuten Tag" },
      { role: "assistant", content: "Good day" },
    ]);
  });

  test.each([
    ["an input that is empty", { instruction: "Say hi", input: "", output: "hi" }, "Say hi"],
    [
      "Dolly's names",
      { instruction: "Sum up.", context: "Long text", response: "hi", category: "summary" },
      "Sum up.\nLong text",
    ],
  ])("%s", (_, row, task) => {
    expectAccountedFor([row]);
    expect(onlySession(row)).toMatchObject({ final_answer: "hi", started: { task } });
  });
});

describe("whether an answer was wanted is a reward", () => {
  const conversations = [turn("human", "hi"), turn("gpt", "hello")];
  test.each([
    ["ShareGPT", { conversations, kto_tag: true }, 1],
    ["Alpaca", { instruction: "hi", output: "hello", kto_tag: false }, 0],
    [
      "messages",
      {
        messages: [
          { role: "user", content: "hi" },
          { role: "assistant", content: "hello" },
        ],
        label: false,
      },
      0,
    ],
    ["prompt and completion", { prompt: "hi", completion: "hello", label: true }, 1],
  ])("%s", (_, row, reward) => {
    expectAccountedFor([row], { ...ELSEWHERE, kto_tag: "the reward", label: "the reward" });
    expect(conversationsOf(row)[0]!.reward).toBe(reward);
  });

  test("a label that is no truth value is metadata", () => {
    const row = { conversations, label: 3 };
    expect(expectAccountedFor([row], ELSEWHERE).sessions[0]!.judgements).toEqual([]);
  });
});
