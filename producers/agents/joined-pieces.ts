import { AtlasError } from "../../errors/atlas-error.ts";

/** An answer that comes in pieces, such as an async generator's. */
export type Pieces = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** Whether an answer comes in pieces; a text does not, though it can be iterated. */
export function isPieces(value: unknown): value is Pieces {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/**
 * Joins the pieces of an answer; bytes are UTF-8 text, also where a piece ends within a character.
 *
 * @throws AtlasError ATLAS_AGENT_FAILED for a piece that is no text, or the signal's reason when it aborts
 */
export async function joinedPieces(pieces: Pieces, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of pieces) {
    signal.throwIfAborted();
    if (typeof piece === "string") text += decoder.decode() + piece;
    else if (piece instanceof Uint8Array) text += decoder.decode(piece, { stream: true });
    else
      throw new AtlasError("ATLAS_AGENT_FAILED", `the agent yielded ${typeof piece}, not text`, {
        hint: "Yield strings or bytes.",
      });
  }
  return text + decoder.decode();
}
