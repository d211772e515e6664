import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import { expect, test } from "vitest";
import { ChunkJoiner } from "../../models/openai-chunks.ts";

const chunk = (choice: object, rest: object = {}): ChatCompletionChunk =>
  ({
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    ...rest,
    choices: [{ index: 0, ...choice }],
  }) as unknown as ChatCompletionChunk;

test("a long answer with its tokens is joined in a time that grows with it", () => {
  const COUNT = 60_000;
  const joiner = new ChunkJoiner();
  const before = process.cpuUsage();
  for (let n = 0; n < COUNT; n += 1) {
    const content = [{ token: "a", logprob: -0.5, bytes: null, top_logprobs: [] }];
    joiner.add(chunk({ delta: { content: "a" }, logprobs: { content }, token_ids: [n] }));
  }
  joiner.add(chunk({ delta: {}, finish_reason: "stop" }));
  const [choice] = joiner.completion().choices;
  const { user, system } = process.cpuUsage(before);
  expect(choice?.message.content).toHaveLength(COUNT);
  expect(choice?.logprobs?.content).toHaveLength(COUNT);
  expect(choice?.logprobs?.content?.[0]).toEqual({
    token: "a",
    logprob: -0.5,
    bytes: null,
    top_logprobs: [],
  });
  expect((choice as unknown as { token_ids: number[] }).token_ids.at(-1)).toBe(COUNT - 1);
  expect((user + system) / 1e6).toBeLessThan(5);
}, 120_000);

test("so are many calls, however they are told apart", () => {
  const COUNT = 20_000;
  const joiner = new ChunkJoiner();
  const before = process.cpuUsage();
  for (let n = 0; n < COUNT; n += 1)
    for (const piece of [
      { index: 0, id: `a${n}`, function: { name: "f", arguments: "{" } },
      { index: 0, function: { arguments: "}" } },
    ])
      joiner.add(chunk({ delta: { tool_calls: [piece] } }));
  const { user, system } = process.cpuUsage(before);
  expect(joiner.completion().choices[0]?.message.tool_calls).toHaveLength(COUNT);
  expect(joiner.complete).toBe(true);
  expect((user + system) / 1e6).toBeLessThan(5);
}, 120_000);

test("the pieces stay as they are, for whoever reads the stream", () => {
  const call = (text: string) => ({
    index: 1,
    id: "b",
    type: "function",
    function: { name: "f", arguments: text },
  });
  const pieces = [
    chunk({
      delta: { tool_calls: [{ index: 0, id: "a", function: { name: "g", arguments: "" } }, call("{")] },
    }),
    chunk({ delta: { tool_calls: [call("}")] }, logprobs: { content: [{ token: "x" }] } }),
    chunk({ delta: {}, logprobs: { content: [{ token: "y" }] }, finish_reason: "tool_calls" }),
  ];
  const before = structuredClone(pieces);
  const joiner = new ChunkJoiner();
  for (const piece of pieces) joiner.add(piece);
  expect(pieces).toEqual(before);
  expect(joiner.completion().choices[0]).toMatchObject({
    message: { tool_calls: [{ id: "a" }, { id: "b", function: { name: "f", arguments: "{}" } }] },
    logprobs: { content: [{ token: "x" }, { token: "y" }] },
  });
});

test("a field may have any name", () => {
  const joiner = new ChunkJoiner();
  for (const text of ["a", "b"])
    joiner.add(
      chunk({ delta: JSON.parse(`{"__proto__":{"polluted":"${text}"},"toString":"${text}"}`) as object }),
    );
  expect({}).not.toHaveProperty("polluted");
  const [choice] = joiner.completion().choices;
  expect(JSON.stringify(choice?.message)).toContain('"toString":"ab"');
});
