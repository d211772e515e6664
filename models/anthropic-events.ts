import type { ContentBlock, Message, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";

type Delta = Extract<RawMessageStreamEvent, { type: "content_block_delta" }>["delta"];

/** A block in the making; the arguments of a call come as pieces of JSON text. */
interface Growing {
  block: ContentBlock;
  json: string;
}

function grow(growing: Growing, delta: Delta): void {
  const { block } = growing;
  if (delta.type === "text_delta" && block.type === "text") block.text += delta.text;
  if (delta.type === "thinking_delta" && block.type === "thinking") block.thinking += delta.thinking;
  if (delta.type === "signature_delta" && block.type === "thinking") block.signature = delta.signature;
  if (delta.type === "citations_delta" && block.type === "text") {
    block.citations ??= [];
    block.citations.push(delta.citation);
  }
  if (delta.type === "input_json_delta") growing.json += delta.partial_json;
}

/** Arguments that were cut off are kept as the text that came. */
function withInput({ block, json }: Growing): ContentBlock {
  if (json === "" || !("input" in block)) return block;
  try {
    return { ...block, input: JSON.parse(json) };
  } catch {
    return { ...block, input: { raw: json } } as ContentBlock;
  }
}

/**
 * Joins the events of a streamed message of Anthropic's to the message that would have come without streaming.
 *
 * @example
 * const joiner = new EventJoiner();
 * for await (const event of stream) joiner.add(event);
 * const message = joiner.message();
 */
export class EventJoiner {
  #message: Message | undefined;
  readonly #blocks = new Map<number, Growing>();
  #complete = false;

  add(event: RawMessageStreamEvent): void {
    if (event.type === "message_start") this.#message = structuredClone(event.message);
    if (event.type === "content_block_start")
      this.#blocks.set(event.index, { block: structuredClone(event.content_block), json: "" });
    if (event.type === "content_block_delta") {
      const growing = this.#blocks.get(event.index);
      if (growing !== undefined) grow(growing, event.delta);
    }
    if (event.type === "message_stop") this.#complete = true;
    if (event.type !== "message_delta" || this.#message === undefined) return;
    // What the last event leaves out or nulls was told by the first.
    const known = Object.entries(event.usage ?? {}).filter(([, value]) => value !== null);
    const usage = { ...this.#message.usage, ...Object.fromEntries(known) };
    this.#message = { ...this.#message, ...event.delta, usage };
  }

  /** Whether the server said that the answer is at its end. */
  get complete(): boolean {
    return this.#complete && this.#message !== undefined;
  }

  /** What came so far, as one message. */
  message(): Message {
    const content = [...this.#blocks].sort(([a], [b]) => a - b).map(([, growing]) => withInput(growing));
    return { ...this.#message, content } as Message;
  }
}
