import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { conversationsOf, messagesOf } from "./conversations.ts";

const ask = { role: "user", content: "hi" };
const good = { role: "assistant", content: "hello" };
const bad = { role: "assistant", content: "go away" };
const turn = (from: string, value: string) => ({ from, value });
const parts = (value: string) => [{ type: "text", value }];

describe("pairs are two sessions of one group", () => {
  const rows: [string, Record<string, unknown>][] = [
    [
      "ShareGPT",
      {
        conversations: [turn("human", "hi")],
        chosen: turn("gpt", "hello"),
        rejected: turn("gpt", "go away"),
      },
    ],
    ["OpenAI's messages", { messages: [ask], chosen: good, rejected: bad }],
    ["Alpaca", { instruction: "hi", input: "", chosen: "hello", rejected: "go away" }],
    ["a prompt and texts", { prompt: "hi", chosen: "hello", rejected: "go away" }],
    ["a prompt and lists", { prompt: [ask], chosen: [good], rejected: [bad] }],
    ["lists that begin with the prompt", { prompt: "hi", chosen: [ask, good], rejected: [ask, bad] }],
    ["lists alone", { chosen: [ask, good], rejected: [ask, bad] }],
    [
      "LLaMA-Factory's messages",
      {
        chosen_messages: [
          { role: "user", content: parts("hi") },
          { role: "assistant", content: parts("hello") },
        ],
        rejected_messages: [
          { role: "user", content: parts("hi") },
          { role: "assistant", content: parts("go away") },
        ],
      },
    ],
    [
      "transcripts",
      { chosen: "\n\nHuman: hi\n\nAssistant: hello", rejected: "\n\nHuman: hi\n\nAssistant: go away" },
    ],
    [
      "OpenAI's preference rows",
      { input: { messages: [ask] }, preferred_output: [good], non_preferred_output: [bad] },
    ],
  ];

  test.each(rows)("%s", (_, row) => {
    const whole = { ...row, source: "made up" };
    const elsewhere = { type: "content", from: "roles", chosen: "a session", rejected: "the other session" };
    const { formats, sessions } = expectAccountedFor([whole], elsewhere);
    expect(formats).toEqual(["preference", "preference"]);
    const [chosen, rejected] = conversationsOf(whole);
    expect(messagesOf(chosen!)).toEqual([ask, good]);
    expect(messagesOf(rejected!)).toEqual([ask, bad]);
    expect([chosen!.reward, rejected!.reward]).toEqual([1, 0]);
    expect([chosen!.rollout, rejected!.rollout]).toEqual([0, 1]);
    expect(sessions[0]!.started!.group_id).toMatch(/^pair-[0-9a-f]{16}$/);
    expect(sessions[1]!.started!.group_id).toBe(sessions[0]!.started!.group_id);
    expect(sessions[1]!.session_id).not.toBe(sessions[0]!.session_id);
  });

  test("with the tools and the fields of the request, and under the row's id", () => {
    const tool = { type: "function", function: { name: "weather", parameters: { type: "object" } } };
    const row = {
      id: 12,
      input: { messages: [ask], tools: [tool], parallel_tool_calls: true },
      preferred_output: [good],
      non_preferred_output: [bad],
    };
    expectAccountedFor([row], { id: "its text" });
    const [chosen, rejected] = conversationsOf(row);
    expect(chosen).toMatchObject({ id: "12-preferred_output", groupId: "12", tools: [tool] });
    expect(rejected).toMatchObject({ id: "12-non_preferred_output", groupId: "12", tools: [tool] });
    expect(chosen!.metadata).toMatchObject({
      preference: "preferred_output",
      recorded: { input: { parallel_tool_calls: true } },
    });
  });

  test("two answers that are equal are two sessions still", () => {
    const { sessions } = readValues([{ prompt: "hi", chosen: "hello", rejected: "hello" }]);
    expect(new Set(sessions.map(({ session_id }) => session_id)).size).toBe(2);
  });

  test("what is none says so", () => {
    const reason = (row: object) =>
      readValues([{ prompt: "hi", chosen: "a", rejected: "b", ...row }]).problems;
    expect(reason({ chosen: 5 })).toEqual(["chosen is neither a text nor a list of messages"]);
    expect(reason({ rejected: [] })).toEqual(["rejected is neither a text nor a list of messages"]);
    expect(reason({ rejected: [{ role: "wizard", content: "x" }] })[0]).toContain(
      "rejected[1].role is not one of",
    );
  });
});
