import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementsOf, membersOf } from "../../../intake/import/json-slices.ts";
import { readRow } from "../../../intake/import/recorded-row.ts";
import { microsOf } from "../../../intake/import/recorded-time.ts";

const hi = { role: "user", content: "hi" };

describe("a row that is none says why", () => {
  test.each([
    ["null", "it is not an object with messages"],
    ["5", "it is not an object with messages"],
    ["[]", "it is not an object with messages"],
    ["{}", "messages is not a list of messages"],
    ['{"messages": []}', "messages is empty"],
    ['{"messages": [5]}', "messages[0] is not an object"],
    [
      '{"messages": [{"content": "x"}]}',
      "messages[0].role is not one of system, developer, user, assistant, tool, function",
    ],
    ['{"messages": [{"role": "human", "content": "x"}]}', "messages[0].role is not one of"],
    ['{"messages": [{"role": "user", "content": 5}]}', "messages[0].content is not a text, null or a list"],
    [
      '{"messages": [{"role": "user", "content": [5]}]}',
      "messages[0].content is not a text, null or a list of parts",
    ],
    ['{"messages": [{"role": "assistant", "tool_calls": {}}]}', "messages[0].tool_calls is not a list"],
    [
      '{"messages": [{"role": "assistant", "tool_calls": [{}]}]}',
      "messages[0].tool_calls[0].function is not an object",
    ],
    [
      '{"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]}',
      "messages[0].tool_calls[0].function.name is not a text",
    ],
    ['{"messages": [{"role": "assistant", "content": "x"}]}', "it has neither a task nor a user's message"],
    [JSON.stringify({ messages: [hi], reward: 1.01 }), "reward is above 1"],
    [JSON.stringify({ messages: [hi], reward: -1 }), "reward is below 0"],
    [JSON.stringify({ messages: [hi], reward: "1" }), "reward is not a number"],
    [JSON.stringify({ messages: [hi], status: "done" }), "status is not one of succeeded, failed, cancelled"],
    [JSON.stringify({ messages: [hi], metadata: "x" }), "metadata is not an object"],
    [
      JSON.stringify({ messages: [hi], created_at: "yesterday" }),
      "created_at is no time between 1970 and 2254",
    ],
    [JSON.stringify({ messages: [{ ...hi, timestamp: -1 }] }), "messages[0].timestamp is no time"],
    [
      JSON.stringify({ messages: [hi], metadata: { learning_key: "a\0b" } }),
      "metadata.learning_key holds a control character",
    ],
    [
      JSON.stringify({ messages: [hi], metadata: { learning_key: "x".repeat(513) } }),
      "metadata.learning_key is longer than 512 characters",
    ],
    ['{"messages": NaN}', "it is not valid JSON: Unexpected token 'N'"],
    ['{"messages": [', "it is not valid JSON: Unexpected end of JSON input"],
  ])("%s", (source, reason) => {
    expect(readRow(source)).toContain(reason);
  });

  test("deep nesting is refused, not a crash", () => {
    const deep = (levels: number) =>
      `{"messages": [{"role": "user", "content": "hi"}], "x": ${"[".repeat(levels)}${"]".repeat(levels)}}`;
    expect(readRow(deep(500))).toMatchObject({ task: "hi" });
    expect(readRow(deep(200_000))).toBe("it is nested more than 512 levels deep");
  });

  test("a reason never repeats what was recorded", () => {
    for (const source of [
      '{"a": "hunter2" "b"}',
      '{"messages": [{"role": "hunter2"}]}',
      '{"hunter2',
      '{"messages": "hunter2"}',
    ]) {
      expect(readRow(source)).not.toContain("hunter2");
    }
  });

  test("whatever the text is, the answer is a row or a reason", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json({ stringUnit: "binary" })), (source) => {
        const row = readRow(source);
        expect(typeof row === "string" || row.messages.length > 0).toBe(true);
      }),
    );
    const field = fc.jsonValue();
    const odd = fc.record({
      messages: fc.oneof(field, fc.array(field)),
      id: field,
      task: field,
      reward: field,
      metadata: field,
      timestamp: field,
    });
    fc.assert(
      fc.property(odd, (value) => {
        expect(["string", "object"]).toContain(typeof readRow(JSON.stringify(value)));
      }),
    );
  });
});

describe("times", () => {
  test.each([
    ["2024-05-15T15:00:00Z", 1_715_785_200_000_000],
    ["2024-05-15T15:00:00", 1_715_785_200_000_000],
    ["2024-05-15 17:00:00.123456+02:00", 1_715_785_200_123_456],
    ["2024-05-15T15:00:00.1234567Z", 1_715_785_200_123_456],
    ["20240515T150000Z", undefined],
    ["2024-05-15", 1_715_731_200_000_000],
    ["2024-05-15T15:00+0000", 1_715_785_200_000_000],
    ["2024-02-30T00:00:00Z", undefined],
    ["2024-02-29T23:59:59-11:00", 1_709_290_799_000_000],
    ["2024-13-01", undefined],
    ["1715785200", 1_715_785_200_000_000],
    [1_715_785_200, 1_715_785_200_000_000],
    [1_715_785_200.5, 1_715_785_200_500_000],
    [1_715_785_200_123, 1_715_785_200_123_000],
    [1_715_785_200_123_456, 1_715_785_200_123_456],
    [0, 0],
    [-1, undefined],
    [1e300, undefined],
    ["9999-12-31T00:00:00Z", undefined],
    ["", undefined],
    [true, undefined],
  ])("%j", (value, micros) => {
    expect(microsOf(value)).toBe(micros);
  });
});

test("slices are the parts of a JSON text, exactly", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.json({ stringUnit: "binary" }))),
      fc.constantFrom("", " ", "\n\t"),
      (entries, gap) => {
        const members = entries.map(
          ([name, value]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${value}${gap}`,
        );
        expect([...membersOf(`${gap}{${members.join(",") || gap}}`)]).toEqual([...new Map(entries)]);
        const elements = entries.map(([, value]) => `${gap}${value}${gap}`);
        expect(elementsOf(`${gap}[${elements.join(",") || gap}]`)).toEqual(entries.map(([, value]) => value));
      },
    ),
  );
});
