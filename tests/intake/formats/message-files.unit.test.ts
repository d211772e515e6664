import { describe, expect, test } from "vitest";
import { readRow } from "../import/recorded-rows.ts";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf } from "./conversations.ts";

const ask = (content: string) => ({ role: "user", content });
const said = (content: string) => ({ role: "assistant", content });

describe("a file of messages alone", () => {
  test("is one conversation", () => {
    const values = [
      { role: "system", content: "You fix bugs." },
      ask("The build fails."),
      { ...said("I look at it."), timestamp: 1_764_000_000, extra: { cost: 0.25 } },
      ask("Missing colon in line 3"),
      said("Fixed."),
    ];
    const { formats, sessions, events } = expectAccountedFor(values, { timestamp: "the message's time" });
    expect(formats).toEqual(["messages"]);
    expect(sessions[0]).toMatchObject({
      started: { task: "The build fails." },
      final_answer: "Fixed.",
      status: "succeeded",
    });
    expect(events[0]!.filter(({ type }) => type === "MessageRecorded")).toHaveLength(5);
  });

  test("in any dialect, joined across lines", () => {
    const values = [
      { type: "message", role: "user", content: [{ type: "input_text", text: "Weather?" }] },
      { type: "reasoning", id: "r1", summary: [{ type: "summary_text", text: "I look." }] },
      { type: "function_call", call_id: "c1", name: "weather", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "rain" },
    ];
    const [conversation, ...others] = conversationsOf(...values);
    expect(others).toEqual([]);
    expect(callsOf(conversation!)).toEqual(["weather({}) → rain"]);
  });

  test("keeps what stands between the messages, and tells", () => {
    const values = [ask("hi"), { seed: 7 }, said("hello"), 3.5];
    const { notes, sessions } = expectAccountedFor(values);
    expect(sessions).toHaveLength(1);
    expect(notes).toEqual(["2 values between the messages are none: they are kept with the metadata"]);
  });

  test("one that is off is named by its place", () => {
    expect(readValues([ask("hi"), { role: "wizard", content: "secret" }]).problems).toEqual([
      "messages[1].role is not one of system, developer, user, assistant, tool, function, or a name for one of these",
    ]);
  });
});

test("events of somebody's log that look like messages are none", () => {
  const event = { type: "system", content: "compacted", uuid: "u1", parentUuid: null };
  expect(readValues([event]).problems).toEqual([expect.stringContaining("no known format")]);
});

describe("rows that are lists of messages", () => {
  test("are a conversation each", () => {
    const values = [
      [ask("one"), said("1")],
      [ask("two"), said("2")],
    ];
    const { formats, sessions } = expectAccountedFor(values);
    expect(formats).toEqual(["message-lists", "message-lists"]);
    expect(sessions.map(({ started, final_answer }) => [started!.task, final_answer])).toEqual([
      ["one", "1"],
      ["two", "2"],
    ]);
  });

  test("an empty one, and one without messages, say so", () => {
    const { sessions, problems } = readValues([[ask("one"), said("1")], [], [5]]);
    expect(sessions).toHaveLength(1);
    expect(problems).toEqual([
      "no known format: no `messages`; found a list",
      "no known format: no `messages`; found a number",
    ]);
  });

  test("rows of chat in a list are rows still", () => {
    const row = { messages: [ask("one"), said("1")] };
    expect(readRow(JSON.stringify([row])).found!.format.name).toBe("chat");
  });
});
