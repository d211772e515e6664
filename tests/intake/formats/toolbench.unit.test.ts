import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, chatOf, linesOf, metadataOf, scoreOf } from "./chat-of.ts";

const QUERY = "What is the weather in Oslo?";

const asked = [
  { role: "system", content: "You can use many tools." },
  { role: "user", content: `\n${QUERY}\nBegin!\n` },
];
const called = {
  role: "assistant",
  content: null,
  function_call: { name: "weather_for_cities", arguments: '{"city":"Oslo"}' },
};
const seen = { role: "function", name: "weather_for_cities", content: '{"error": "", "response": "rain"}' };
const finished = {
  role: "assistant",
  content: "I know it now.",
  function_call: { name: "Finish", arguments: '{"return_type":"give_answer","final_answer":"It rains."}' },
};

const FUNCTIONS = [
  {
    name: "weather_for_cities",
    description: "The weather of a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string", example_value: "Paris" } },
      required: ["city"],
      optional: [],
    },
  },
];

const answer = (extra: object = {}, generation: object = {}) => ({
  win: true,
  tree: {
    size: 3,
    tree: {
      node_type: "Action Input",
      Elo: 1000.5,
      children: [{ description: "weather_for_cities", observation_code: 0 }],
    },
  },
  forward_args: { single_chain_max_step: 12, with_filter: false },
  compare_candidates: [[{ node_type: "Action", depth: 1 }]],
  answer_generation: {
    valid_data: true,
    query_count: 3,
    total_tokens: 2916,
    final_answer: '{"return_type":"give_answer","final_answer":"It rains."}',
    function: FUNCTIONS,
    chain: [],
    train_messages: [
      [...asked, called],
      [...asked, called, seen, finished],
    ] as unknown,
    query: QUERY,
    finish_type: "give_answer",
    ...generation,
  },
  ...extra,
});

describe("toolbench", () => {
  it("keeps everything of its answers", () => {
    const { formats, notes } = expectAccountedFor([answer()]);
    expect(formats).toEqual(["toolbench"]);
    expect(notes).toEqual([]);
  });

  it("is the best path as a conversation, each call with its result", () => {
    const session = onlySession(answer());
    expect(linesOf(session)).toEqual([
      "system: You can use many tools.",
      `user: \n${QUERY}\nBegin!\n`,
      'assistant: weather_for_cities({"city":"Oslo"})',
      'tool: {"error": "", "response": "rain"}',
      'assistant: I know it now. Finish({"return_type":"give_answer","final_answer":"It rains."})',
    ]);
    expect(answersOf(session)[0]).toEqual(["weather_for_cities", '{"error": "", "response": "rain"}']);
    expect(chatOf(session)[3]).toMatchObject({
      role: "tool",
      tool_call_id: "call-1",
      name: "weather_for_cities",
    });
    expect(JSON.parse(session.started!.tools!)).toEqual([{ type: "function", function: FUNCTIONS[0] }]);
  });

  it("knows what was asked, and whether an answer was given", () => {
    const session = onlySession(answer());
    expect(session.started?.task).toBe(QUERY);
    expect(session.status).toBe("succeeded");
    expect(session.usage).toMatchObject({ total_tokens: 2916 });
    expect(scoreOf(session)).toBe(1);
    expect(metadataOf(session)).toMatchObject({ tree: { size: 3 }, answer_generation: { query_count: 3 } });
    const lost = onlySession(answer({ win: false }, { finish_type: "give_up" }));
    expect(lost).toMatchObject({ status: "failed", error: "ended by give_up" });
    expect(scoreOf(lost)).toBe(0);
    expect(lost.started?.group_id).toBe(session.started?.group_id);
  });

  it("keeps the paths that led elsewhere", () => {
    const away = [...asked, { role: "assistant", content: "I try another way." }];
    const other = answer({}, { train_messages: [away, [...asked, called, seen, finished]] });
    expectAccountedFor([other]);
    expect(metadataOf(onlySession(other)).other_paths).toEqual([away]);
  });

  it("reads one list of messages, and answers without a verdict", () => {
    const { win: _win, ...plain } = answer(
      {},
      { train_messages: [...asked, called, seen], query: null, function: [] },
    );
    expectAccountedFor([plain]);
    const session = onlySession(plain);
    expect(session.started).toMatchObject({
      task: `\n${QUERY}\nBegin!\n`,
      group_id: null,
      tools_source: "observed",
    });
    expect(scoreOf(session)).toBeUndefined();
  });

  it("says in a sentence why there is no conversation", () => {
    const values = [answer({}, { train_messages: [] }), answer({}, { train_messages: [[{ content: "?" }]] })];
    expect(readValues(values).problems).toEqual([
      "answer_generation.train_messages is empty: no path of the search came to an end",
      "answer_generation.train_messages[0][0].role is missing",
    ]);
  });
});
