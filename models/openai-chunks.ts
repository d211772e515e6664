import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";

type Fields = Record<string, unknown>;

/** Servers repeat these in every piece; all other texts go on where the piece before ended. */
const WHOLE = new Set(["role", "id", "type", "name", "index"]);

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Entries with an index are pieces of the entry with that index; all others follow each other. */
function joinList(before: unknown[], pieces: readonly unknown[]): unknown[] {
  const list = [...before];
  for (const piece of pieces) {
    const index = isObject(piece) ? piece["index"] : undefined;
    const at = list.findIndex((entry) => isObject(entry) && entry["index"] === index);
    if (typeof index === "number" && at >= 0) list[at] = joinFields(list[at] as Fields, piece as Fields);
    else list.push(piece);
  }
  return list;
}

function joinValue(name: string, before: unknown, piece: unknown): unknown {
  if (piece === null || piece === undefined) return before;
  if (before === null || before === undefined) return Array.isArray(piece) ? joinList([], piece) : piece;
  if (typeof before === "string" && typeof piece === "string")
    return WHOLE.has(name) ? piece || before : before + piece;
  if (Array.isArray(before) && Array.isArray(piece)) return joinList(before, piece);
  return isObject(before) && isObject(piece) ? joinFields(before, piece) : piece;
}

function joinFields(before: Fields, piece: Fields): Fields {
  const joined = { ...before };
  for (const [name, value] of Object.entries(piece)) joined[name] = joinValue(name, joined[name], value);
  return joined;
}

function withoutIndex(message: Fields): Fields {
  const calls = message["tool_calls"];
  if (!Array.isArray(calls)) return message;
  return { ...message, tool_calls: calls.map(({ index: _, ...call }: Fields) => call) };
}

/**
 * Joins the chunks of a streamed answer to the answer that would have come without streaming; fields that a server
 * adds are joined too.
 *
 * @example
 * const joiner = new ChunkJoiner();
 * for await (const chunk of stream) joiner.add(chunk);
 * const completion = joiner.completion();
 */
export class ChunkJoiner {
  #envelope: Fields = {};
  #choice: Fields | undefined;
  #message: Fields = {};

  add({ choices, ...rest }: ChatCompletionChunk): void {
    for (const [name, value] of Object.entries(rest)) if (value !== null) this.#envelope[name] = value;
    const first = choices?.find(({ index }) => (index ?? 0) === 0);
    if (first === undefined) return;
    const { delta, finish_reason, index, ...choice } = first;
    this.#message = joinFields(this.#message, { ...delta });
    this.#choice = joinFields(this.#choice ?? {}, choice);
    if (finish_reason) this.#choice["finish_reason"] = finish_reason;
  }

  /** Whether the server said that the answer is at its end. */
  get complete(): boolean {
    return this.#choice?.["finish_reason"] !== undefined;
  }

  /** What came so far, as one answer. */
  completion(): ChatCompletion {
    const message = { role: "assistant", content: null, ...withoutIndex(this.#message) };
    const choices = this.#choice === undefined ? [] : [{ index: 0, ...this.#choice, message }];
    return { ...this.#envelope, object: "chat.completion", choices } as unknown as ChatCompletion;
  }
}
