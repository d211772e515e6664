import { describe, expect, test } from "vitest";
import { call, eventsOf, ofType, result, said, user } from "./recorded-rows.ts";

describe("tool calls", () => {
  const ends = (messages: unknown[]) =>
    ofType(eventsOf({ messages: [user("hi"), ...messages] }), "ToolCallEnded").map(
      ({ call_id, step_id, output, error }) => [call_id, step_id, output ?? error],
    );

  test("a result that was not recorded", () => {
    expect(ends([said(null, call("a", "{}", "c1")), user("?"), said("x")])).toEqual([
      ["c1", 1, "no result recorded"],
    ]);
    expect(ends([said(null, call("a", "{}", "c1"))])).toEqual([["c1", 1, "no result recorded"]]);
  });

  test("a result that comes after the next turn belongs to the turn that asked", () => {
    expect(ends([said(null, call("a", "{}", "c1")), said("meanwhile"), result("late", "c1")])).toEqual([
      ["c1", 1, "late"],
    ]);
  });

  test("ids that come again, and none at all", () => {
    expect(
      ends([
        said(null, call("a", "{}", "c")),
        result("1", "c"),
        said(null, call("a", "{}", "c")),
        result("2", "c"),
      ]),
    ).toEqual([
      ["c", 1, "1"],
      ["c#2", 2, "2"],
    ]);
    expect(ends([said(null, call("a"), call("b")), result("B", undefined, "b"), result("A")])).toEqual([
      ["step-1-call-2", 1, "B"],
      ["step-1-call-1", 1, "A"],
    ]);
  });

  test("a result that nobody asked for stays a message", () => {
    expect(ends([result("x", "c9"), said("a"), result("y", "c9")])).toEqual([]);
  });

  test("the older form with one function call", () => {
    const old = [
      { role: "assistant", content: null, function_call: { name: "f", arguments: '{"a": 1.0}' } },
      { role: "function", name: "f", content: "ok" },
    ];
    expect(ends(old)).toEqual([["step-1-call-1", 1, "ok"]]);
  });

  test("arguments keep every digit; what is no JSON becomes a JSON string, and no text is no arguments", () => {
    const text =
      '{"role":"assistant","tool_calls":[{"function":{"name":"a","arguments":{"n": 1.0, "big": 12345678901234567890}}}]}';
    const events = eventsOf(`{"messages":[{"role":"user","content":"hi"},${text}]}`);
    expect(ofType(events, "ToolCallStarted")[0]!.arguments).toBe('{"n":1,"big":12345678901234567890}');
    const broken = eventsOf({ messages: [user("hi"), said(null, call("a", "{oops"), call("b", ""))] });
    expect(ofType(broken, "ToolCallStarted").map((event) => event.arguments)).toEqual(['"{oops"', "{}"]);
  });

  test("results of other kinds than text", () => {
    const messages = [
      said(null, call("a"), call("b"), call("c")),
      result([
        { type: "text", text: "x" },
        { type: "text", text: "y" },
      ]),
      result([{ type: "image_url", image_url: { url: "u" } }]),
      result(null),
    ];
    expect(ends(messages).map(([, , output]) => output)).toEqual([
      "x\ny",
      '[{"type":"image_url","image_url":{"url":"u"}}]',
      "",
    ]);
  });
});
