import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";
import { isWhole } from "./sound-calls.ts";
import { StreamedCalls } from "./streamed-calls.ts";

type Fields = Record<string, unknown>;

/** Servers repeat these in every piece; all other texts go on where the piece before ended. */
const WHOLE = new Set(["role", "id", "type", "name", "index"]);

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A copy that may be changed: the pieces belong to whoever reads the stream. */
function owned(value: unknown): unknown {
  if (Array.isArray(value)) return joinList([], value);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, owned(inner)]));
}

/** Entries with an index are pieces of the entry with that index; all others follow each other. */
function joinList(list: unknown[], pieces: readonly unknown[]): unknown[] {
  for (const piece of pieces) {
    const index = isObject(piece) ? piece["index"] : undefined;
    const has = (entry: unknown): boolean => isObject(entry) && entry["index"] === index;
    const known = typeof index !== "number" ? undefined : has(list[index]) ? list[index] : list.find(has);
    if (known === undefined) list.push(owned(piece));
    else joinFields(known as Fields, piece as Fields);
  }
  return list;
}

function joinValue(name: string, before: unknown, piece: unknown): unknown {
  if (piece === null || piece === undefined) return before;
  if (before === null || before === undefined) return owned(piece);
  if (typeof before === "string" && typeof piece === "string")
    return WHOLE.has(name) ? piece || before : before + piece;
  if (Array.isArray(before) && Array.isArray(piece)) return joinList(before, piece);
  return isObject(before) && isObject(piece) ? joinFields(before, piece) : owned(piece);
}

/** Changes what came before, so that a long answer is not copied with each of its pieces. */
function joinFields(before: Fields, piece: Fields): Fields {
  for (const [name, value] of Object.entries(piece)) {
    // Not what objects inherit: a server may name a field anything.
    const joined = joinValue(name, Object.hasOwn(before, name) ? before[name] : undefined, value);
    if (joined !== undefined) define(before, name, joined);
  }
  return before;
}

const define = (fields: Fields, name: string, value: unknown): void =>
  void Object.defineProperty(fields, name, { value, enumerable: true, writable: true, configurable: true });

/** White space is what many an answer begins with. */
const says = (content: unknown): boolean =>
  typeof content === "string" ? content.trim() !== "" : Array.isArray(content) && content.length > 0;

/** Arguments that come as an object are whole with each piece. */
function joinCall(before: Fields, piece: Fields): Fields {
  const known = before["function"];
  const body = piece["function"];
  if (isObject(known) && isObject(body) && isObject(body["arguments"])) delete known["arguments"];
  return joinFields(before, piece);
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
  readonly #calls: Fields[] = [];
  readonly #streamed = new StreamedCalls();

  add({ choices, ...rest }: ChatCompletionChunk): void {
    for (const [name, value] of Object.entries(rest)) if (value !== null) this.#envelope[name] = value;
    const first = choices?.find(({ index }) => (index ?? 0) === 0);
    if (first === undefined) return;
    const { delta, finish_reason, index, ...choice } = first;
    const { tool_calls, ...said } = (delta ?? {}) as Fields;
    joinFields(this.#message, said);
    if (Array.isArray(tool_calls)) this.#addCalls(tool_calls);
    else if (tool_calls) this.#message["tool_calls"] = tool_calls;
    this.#choice = joinFields(this.#choice ?? {}, choice);
    if (finish_reason) this.#choice["finish_reason"] = finish_reason;
  }

  #addCalls(pieces: readonly unknown[]): void {
    const calls = pieces.filter(isObject);
    for (const [at, piece] of calls.entries()) {
      const { call: known, name } = this.#streamed.callOf(piece, { at, of: calls.length });
      const begun = name === undefined ? {} : { function: { name } };
      const call = joinCall(known ?? begun, piece);
      if (known === undefined) this.#calls.push(call);
      this.#streamed.joined(piece, call);
    }
    this.#message["tool_calls"] = this.#calls;
  }

  /** Whether the server said that the answer is at its end. */
  get ended(): boolean {
    return this.#choice?.["finish_reason"] !== undefined;
  }

  /** Whether it is an answer: servers that close a stream do not all say why, but then it holds no part of a call. */
  get complete(): boolean {
    if (this.ended) return true;
    const said = ["content", "refusal"].some((name) => says(this.#message[name]));
    return (said || this.#calls.length > 0) && this.#calls.every(isWhole);
  }

  /** What came so far, as one answer. */
  completion(): ChatCompletion {
    const message = { role: "assistant", content: null, ...withoutIndex(this.#message) };
    const choices = this.#choice === undefined ? [] : [{ index: 0, ...this.#choice, message }];
    return { ...this.#envelope, object: "chat.completion", choices } as unknown as ChatCompletion;
  }
}
