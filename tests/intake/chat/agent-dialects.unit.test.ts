import { expect, test } from "vitest";
import { readMessages } from "../../../intake/chat/read-messages.ts";

test("a shell call of Responses is known by its call's id, which its output names", () => {
  const action = { type: "exec", command: ["ls"] };
  expect(
    readMessages([
      { type: "local_shell_call", id: "lsc_1", call_id: "call_1", status: "completed", action },
      { type: "function_call_output", call_id: "call_1", output: "a.txt" },
    ]),
  ).toMatchObject([
    { role: "assistant", tool_calls: [{ id: "call_1", item_id: "lsc_1" }] },
    { role: "tool", tool_call_id: "call_1", content: "a.txt" },
  ]);
});

test("encrypted thoughts of one turn are all kept", () => {
  const thought = (id: string) => ({ type: "reasoning", id, summary: [], encrypted_content: `enc-${id}` });
  const [message] = readMessages([
    thought("rs_1"),
    thought("rs_2"),
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Done." }] },
  ]) as Record<string, unknown>[];
  expect(message).toMatchObject({
    content: "Done.",
    reasoning_parts: [{ encrypted_content: "enc-rs_1" }, { encrypted_content: "enc-rs_2" }],
  });
});

test("parts of a call named `toolCall`, and images by their `mimeType`", () => {
  const image = { type: "image", data: "iVBORw0K", mimeType: "image/png" };
  expect(
    readMessages([
      { role: "user", content: [{ type: "text", text: "What is it?" }, image] },
      { role: "assistant", content: [{ type: "toolCall", id: "t1", name: "look", arguments: { at: 1 } }] },
    ]),
  ).toEqual([
    {
      role: "user",
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "t1", type: "function", function: { name: "look", arguments: '{"at":1}' } }],
    },
  ]);
});
