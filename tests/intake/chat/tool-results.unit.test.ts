import { describe, expect, test } from "vitest";
import { resultContent } from "../../../intake/chat/content.ts";
import { readMessages } from "../../../intake/chat/read-messages.ts";

describe("a turn of a tool whose parts are results", () => {
  test("is a message for each of them", () => {
    const turn = {
      role: "tool",
      content: [
        { type: "tool-result", toolCallId: "a", toolName: "read", output: { type: "json", value: { n: 1 } } },
        {
          type: "tool-result",
          toolCallId: "b",
          toolName: "read",
          output: { type: "error-text", value: "gone" },
        },
      ],
    };
    expect(readMessages([turn])).toEqual([
      { role: "tool", tool_call_id: "a", name: "read", content: '{"n":1}' },
      { role: "tool", tool_call_id: "b", name: "read", content: "gone" },
    ]);
  });

  test("also in the notation of OpenTelemetry", () => {
    const turn = { role: "tool", parts: [{ type: "tool_call_response", id: "a", response: "4" }] };
    expect(readMessages([turn])).toEqual([{ role: "tool", tool_call_id: "a", content: "4" }]);
  });

  test("text parts of a result stay what they are", () => {
    const turn = { role: "tool", tool_call_id: "a", content: [{ type: "text", text: "4" }] };
    expect(readMessages([turn])).toEqual([turn]);
  });
});

test("a structure that only looks like a typed value is written whole", () => {
  expect(resultContent({ type: "tide", value: 4 })).toBe('{"type":"tide","value":4}');
});
