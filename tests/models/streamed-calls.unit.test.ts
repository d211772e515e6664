import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";
import { EventJoiner } from "../../models/anthropic-events.ts";
import { anthropicReply } from "../../models/anthropic-reply.ts";
import { ChunkJoiner } from "../../models/openai-chunks.ts";
import { openaiReply } from "../../models/openai-reply.ts";

interface Piece {
  index?: number;
  id?: string | null;
  name?: string;
  args?: unknown;
}

const pieceOf = ({ index, id, name, args }: Piece) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id, type: "function" }),
  function: {
    ...(name === undefined ? {} : { name }),
    ...(args === undefined ? {} : { arguments: args }),
  },
});

/** The calls that chunks of such pieces come to: id, name and arguments. */
function callsOf(chunks: readonly (readonly Piece[])[]) {
  const joiner = new ChunkJoiner();
  for (const pieces of chunks) {
    const delta = { tool_calls: pieces.map(pieceOf) };
    joiner.add({ id: "c", model: "m", choices: [{ index: 0, delta }] } as unknown as ChatCompletionChunk);
  }
  const { toolCalls } = openaiReply(joiner.completion(), { provider: "openai", model: "m" });
  return toolCalls.map(({ id, name, arguments: args }) => [id || null, name, args]);
}

const A = ["a", "list", '{"x":1}'];
const B = ["b", "list", '{"y":2}'];

describe("the calls of a streamed answer, however a server tells its pieces apart", () => {
  test.each<[string, Piece[][], unknown[][]]>([
    [
      "an index of its own for each",
      [
        [{ index: 0, id: "a", name: "list", args: "" }],
        [{ index: 0, args: '{"x"' }],
        [{ index: 1, id: "b", name: "list", args: '{"y"' }],
        [{ index: 0, args: ":1}" }],
        [{ index: 1, args: ":2}" }],
      ],
      [A, B],
    ],
    [
      "one index for all, whole",
      [
        [{ index: 0, id: "a", name: "list", args: '{"x":1}' }],
        [{ index: 0, id: "b", name: "list", args: '{"y":2}' }],
      ],
      [A, B],
    ],
    [
      "one index for all, in pieces",
      [
        [{ index: 0, id: "a", name: "list", args: "" }],
        [{ index: 0, args: '{"x":1}' }],
        [{ index: 0, id: "b", name: "list", args: "" }],
        [{ index: 0, args: '{"y"' }],
        [{ index: 0, args: ":2}" }],
      ],
      [A, B],
    ],
    [
      "one index and one chunk for all",
      [
        [
          { index: 0, id: "a", name: "list", args: '{"x":1}' },
          { index: 0, id: "b", name: "list", args: '{"y":2}' },
        ],
      ],
      [A, B],
    ],
    [
      "no index",
      [
        [{ id: "a", name: "list", args: '{"x"' }],
        [{ args: ":1}" }],
        [{ id: "b", name: "list", args: '{"y":2}' }],
      ],
      [A, B],
    ],
    [
      "no index, side by side",
      [
        [
          { id: "a", name: "list", args: '{"x"' },
          { id: "b", name: "list", args: '{"y"' },
        ],
        [{ args: ":1}" }, { args: ":2}" }],
      ],
      [A, B],
    ],
    [
      "id and name in every piece",
      [
        [{ index: 0, id: "a", name: "list", args: '{"x"' }],
        [{ index: 0, id: "a", name: "list", args: ":1}" }],
        [{ index: 0, id: "a", name: "list", args: "" }],
        [{ index: 1, id: "b", name: "list", args: '{"y":2}' }],
      ],
      [A, B],
    ],
    [
      "an id that comes later, or is empty and null between",
      [
        [{ index: 0, name: "list", args: '{"x"' }],
        [{ index: 0, id: "a", args: ":1" }],
        [{ index: 0, id: "", args: "}" }],
        [{ index: 0, id: null, args: "" }],
      ],
      [A],
    ],
    [
      "no ids, and one index for all",
      [[{ index: 0, name: "list", args: '{"x":1}' }], [{ index: 0, name: "list", args: '{"y":2}' }]],
      [
        [null, "list", '{"x":1}'],
        [null, "list", '{"y":2}'],
      ],
    ],
    [
      "no ids, one index, and the name before the arguments",
      [
        [{ index: 0, name: "list", args: "" }],
        [{ index: 0, args: '{"x":"}"}' }],
        [{ index: 0, name: "list", args: "" }],
        [{ index: 0, args: '{"y":2}' }],
      ],
      [
        [null, "list", '{"x":"}"}'],
        [null, "list", '{"y":2}'],
      ],
    ],
    [
      "no ids, and other names",
      [[{ index: 0, name: "list" }], [{ index: 0, name: "drop" }]],
      [
        [null, "list", ""],
        [null, "drop", ""],
      ],
    ],
    [
      "no id and no index, and the name in every piece",
      [[{ name: "list", args: '{"x"' }], [{ name: "list", args: ":1" }], [{ name: "list", args: "}" }]],
      [[null, "list", '{"x":1}']],
    ],
    [
      "arguments that are objects",
      [
        [{ index: 0, id: "a", name: "list", args: { x: "s" } }],
        [{ index: 0, id: "a", name: "list", args: { x: "s" } }],
        [{ index: 0, id: "b", name: "list", args: { y: 2 } }],
      ],
      [["a", "list", '{"x":"s"}'], B],
    ],
    [
      "one id for two indices",
      [
        [{ index: 0, id: "a", name: "list", args: '{"x":1}' }],
        [{ index: 1, id: "a", name: "list", args: '{"y":2}' }],
      ],
      [A, ["a", "list", '{"y":2}']],
    ],
    [
      "a brace too many, which is the model's own fault",
      [[{ index: 0, id: "a", name: "list", args: '{"x":1}' }], [{ index: 0, args: "}" }]],
      [["a", "list", '{"x":1}}']],
    ],
  ])("%s", (_, chunks, expected) => {
    expect(callsOf(chunks)).toEqual(expected);
  });
});

const start = (index: number, block: object) => ({
  type: "content_block_start",
  index,
  content_block: block,
});
const tool = (id: string) => ({ type: "tool_use", id, name: "list", input: {} });
const json = (index: number, partial_json: string) => ({
  type: "content_block_delta",
  index,
  delta: { type: "input_json_delta", partial_json },
});
const text = (index: number, text: string) => ({
  type: "content_block_delta",
  index,
  delta: { type: "text_delta", text },
});
const stop = (index: number) => ({ type: "content_block_stop", index });

function replyOf(events: readonly object[]) {
  const joiner = new EventJoiner();
  const message = { id: "m", model: "m", content: [], stop_reason: null, usage: { input_tokens: 1 } };
  for (const event of [{ type: "message_start", message }, ...events])
    joiner.add(event as RawMessageStreamEvent);
  const { content, toolCalls } = anthropicReply(joiner.message());
  return { content, calls: toolCalls.map(({ id, name, arguments: args }) => [id, name, args]) };
}

describe("the blocks of a streamed message, however a server numbers them", () => {
  test.each<[string, object[], { content: string; calls: unknown[][] }]>([
    [
      "one index for all blocks",
      [
        ...[start(0, { type: "text", text: "" }), text(0, "so"), stop(0)],
        ...[start(0, tool("a")), json(0, '{"x"'), json(0, ":1}"), stop(0)],
        ...[start(0, tool("b")), json(0, '{"y":2}'), stop(0)],
      ],
      { content: "so", calls: [A, B] },
    ],
    [
      "a block that begins again",
      [start(0, tool("a")), json(0, '{"x"'), start(0, tool("a")), json(0, ":1}"), stop(0)],
      { content: "", calls: [A] },
    ],
    [
      "the input of a call under the index of a text",
      [start(0, { type: "text", text: "so" }), start(1, tool("a")), json(0, '{"x":1}'), stop(1)],
      { content: "so", calls: [A] },
    ],
    ["a text without its beginning", [text(0, "so"), text(0, " it is")], { content: "so it is", calls: [] }],
    [
      "input at the beginning of a block",
      [start(0, { ...tool("a"), input: { x: 1 } }), stop(0)],
      { content: "", calls: [A] },
    ],
    [
      "input that cannot be read",
      [start(0, tool("a")), json(0, '{"x": 1,, }'), stop(0)],
      { content: "", calls: [["a", "list", '{"x": 1,, }']] },
    ],
  ])("%s", (_, events, expected) => {
    expect(replyOf(events)).toEqual(expected);
  });
});
