import type { ContentBlock, Message, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";

type Delta = Extract<RawMessageStreamEvent, { type: "content_block_delta" }>["delta"];

/** A block in the making; the arguments of a call come as pieces of JSON text. */
interface Growing {
  block: ContentBlock;
  json: string;
  /** The server said that it is at its end. */
  stopped: boolean;
}

/** What a piece goes on with. */
const KIND_OF: Partial<Record<Delta["type"], ContentBlock["type"]>> = {
  text_delta: "text",
  citations_delta: "text",
  thinking_delta: "thinking",
  signature_delta: "thinking",
};

const fits = ({ block }: Growing, { type }: Delta): boolean =>
  type === "input_json_delta" ? "input" in block : block.type === KIND_OF[type];

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

/** The block of a piece that came without the beginning of one; of a call there is then no name. */
function emptyBlock({ type }: Delta): ContentBlock | undefined {
  const kind = KIND_OF[type];
  if (kind === "text") return { type: "text", text: "", citations: null };
  return kind === "thinking" ? { type: "thinking", thinking: "", signature: "" } : undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Arguments that cannot be read, or were cut off, are kept as the text that came. */
function withInput({ block, json }: Growing): ContentBlock {
  return json === "" || !("input" in block) ? block : { ...block, input: parsed(json) ?? json };
}

const isWhole = ({ json, stopped }: Growing): boolean =>
  stopped && (json === "" || parsed(json) !== undefined);

const idOf = (block: ContentBlock): string | undefined => ("id" in block && block.id ? block.id : undefined);

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
  readonly #blocks: Growing[] = [];
  /** The last block of each index. */
  readonly #byIndex = new Map<number, Growing>();
  #lastInput: Growing | undefined;
  #ended = false;
  /** The tokens of the answer are told at its end; until then there is a count of its beginning. */
  #counted = false;

  add(event: RawMessageStreamEvent): void {
    if (event.type === "message_start") this.#message = structuredClone(event.message);
    if (event.type === "content_block_start") this.#begin(event.index, event.content_block);
    if (event.type === "content_block_delta") this.#grow(event.index, event.delta);
    if (event.type === "content_block_stop") {
      const growing = this.#byIndex.get(event.index);
      if (growing !== undefined) growing.stopped = true;
    }
    if (event.type === "message_stop") this.#ended = true;
    if (event.type !== "message_delta" || this.#message === undefined) return;
    // What the last event leaves out or nulls was told by the first.
    const known = Object.entries(event.usage ?? {}).filter(([, value]) => value !== null);
    const usage = { ...this.#message.usage, ...Object.fromEntries(known) };
    this.#counted ||= known.length > 0;
    this.#message = { ...this.#message, ...event.delta, usage };
  }

  /** A server may give several blocks one index; one that begins again with its id is the same. */
  #begin(index: number, started: ContentBlock): void {
    const known = this.#byIndex.get(index);
    const id = idOf(started);
    if (known !== undefined && id !== undefined && idOf(known.block) === id) return;
    this.#push(index, structuredClone(started));
  }

  #push(index: number, block: ContentBlock): Growing {
    const growing = { block, json: "", stopped: false };
    this.#blocks.push(growing);
    this.#byIndex.set(index, growing);
    if ("input" in block) this.#lastInput = growing;
    return growing;
  }

  #grow(index: number, delta: Delta): void {
    const placed = this.#byIndex.get(index);
    const growing = placed !== undefined && fits(placed, delta) ? placed : this.#unplaced(index, delta);
    if (growing !== undefined) grow(growing, delta);
  }

  /** Where a piece belongs that does not fit its index: input to the last call, all else to a block of its own. */
  #unplaced(index: number, delta: Delta): Growing | undefined {
    const block = emptyBlock(delta);
    return block === undefined ? this.#lastInput : this.#push(index, block);
  }

  /** Whether it is an answer: servers that close a stream do not all say so, but each block has an end of its own. */
  get complete(): boolean {
    if (this.#message === undefined) return false;
    if (this.#ended || this.#message.stop_reason) return true;
    const says = ({ block }: Growing): boolean =>
      block.type === "tool_use" || (block.type === "text" && block.text.trim() !== "");
    return this.#blocks.some(says) && this.#blocks.every(isWhole);
  }

  /** What came so far, as one message. */
  message(): Message {
    const { usage, ...message } = this.#message ?? {};
    const { output_tokens: _, ...asked } = usage ?? {};
    return {
      ...message,
      ...(usage && { usage: this.#counted ? usage : asked }),
      content: this.#blocks.map(withInput),
    } as Message;
  }
}
