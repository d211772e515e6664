import type { ServerResponse } from "node:http";

/** Sends server-sent events, and hangs up in the middle unless the stream is whole. */
export function sse(response: ServerResponse, events: readonly { type?: string }[], whole = true): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) {
    const named = event.type === undefined ? "" : `event: ${event.type}\n`;
    response.write(`${named}data: ${JSON.stringify(event)}\n\n`);
  }
  response.end(whole && events[0]?.type === undefined ? "data: [DONE]\n\n" : "");
}

const chunk = (delta: object, choice: object = {}, rest: object = {}) => ({
  id: "c",
  object: "chat.completion.chunk",
  created: 1,
  model: "served-3",
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
  ...rest,
});
const call = (index: number, id: string | undefined, name: string | undefined, args: string, rest = {}) => ({
  index,
  ...(id === undefined ? {} : { id, type: "function" }),
  function: { ...(name === undefined ? {} : { name }), arguments: args },
  ...rest,
});

/** Reasoning, a text, and two calls whose pieces come mixed. */
export const OPENAI_CHUNKS: readonly { type?: string }[] = [
  chunk({ role: "assistant", content: "" }, {}, { prompt_token_ids: [1, 2] }),
  chunk({ reasoning_content: "let me " }),
  chunk({ reasoning_content: "think" }),
  chunk({ content: "Hel" }, { token_ids: [7], logprobs: { content: [{ token: "Hel" }] } }),
  chunk({ content: "lo" }, { token_ids: [8], logprobs: { content: [{ token: "lo" }] } }),
  chunk({
    tool_calls: [
      call(0, "call_a", "search", "", { extra_content: { google: { thought_signature: "sig" } } }),
      call(1, "call_b", "fetch", ""),
    ],
  }),
  chunk({ tool_calls: [call(0, undefined, undefined, '{"q":'), call(1, undefined, undefined, "{}")] }),
  chunk({ tool_calls: [call(0, undefined, undefined, '"x"}')] }),
  chunk({}, { finish_reason: "tool_calls" }),
  { ...chunk({}), choices: [], usage: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 } } as object,
];

const delta = (index: number, piece: object) => ({ type: "content_block_delta", index, delta: piece });
const open = (index: number, block: object) => ({ type: "content_block_start", index, content_block: block });
const stop = (index: number) => ({ type: "content_block_stop", index });

/** A thought with its signature, a text and a call. */
export const ANTHROPIC_EVENTS: readonly { type?: string }[] = [
  {
    type: "message_start",
    message: {
      id: "msg",
      type: "message",
      role: "assistant",
      model: "claude-y",
      content: [],
      stop_reason: null,
      usage: { input_tokens: 10, output_tokens: 1 },
    },
  } as object,
  open(0, { type: "thinking", thinking: "", signature: "" }),
  delta(0, { type: "thinking_delta", thinking: "hm" }),
  delta(0, { type: "signature_delta", signature: "sig" }),
  stop(0),
  open(1, { type: "text", text: "" }),
  delta(1, { type: "text_delta", text: "I sea" }),
  delta(1, { type: "text_delta", text: "rch." }),
  stop(1),
  open(2, { type: "tool_use", id: "toolu_1", name: "search", input: {} }),
  delta(2, { type: "input_json_delta", partial_json: '{"q":' }),
  delta(2, { type: "input_json_delta", partial_json: '"x"}' }),
  stop(2),
  { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 6 } } as object,
  { type: "message_stop" },
];
