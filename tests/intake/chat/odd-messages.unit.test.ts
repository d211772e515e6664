import { describe, expect, it } from "vitest";
import { textOf } from "../../../intake/chat/message.ts";
import { readMessages } from "../../../intake/chat/read-messages.ts";

describe("messages that are written in odd ways", () => {
  it("take a content that is one object for a list of one part, or where it is none for its JSON", () => {
    const part = { type: "image_url", image_url: { url: "u" } };
    const read = readMessages([{ role: "user", content: part }]);
    expect(read).toEqual([{ role: "user", content: [part] }]);
    expect(textOf((read as Exclude<typeof read, string>)[0])).toBeUndefined();
    const structure = readMessages([{ role: "system", content: { a: 1 } }]);
    expect(structure).toEqual([{ role: "system", content: '{"a":1}' }]);
  });

  it("take calls that are written as JSON text each", () => {
    const call = { id: "c1", type: "function", function: { name: "read", arguments: "{}" } };
    const asked = { role: "assistant", content: null, tool_calls: [JSON.stringify(call)] };
    expect(readMessages([asked])).toEqual([{ ...asked, tool_calls: [call] }]);
    expect(readMessages([{ ...asked, tool_calls: ["read"] }])).toBe("[0].tool_calls[0] is not an object");
  });
});
