import type { ByteWindow } from "./byte-window.ts";
import { isSpace, NEWLINE, type RowProblem, type RowText } from "./row-text.ts";
import { arrayRows } from "./split-array.ts";
import { lineRows } from "./split-lines.ts";

/** The longest row, in bytes; one JavaScript string cannot hold much more than four times that. */
export const MAX_ROW_BYTES = 128 * 1024 * 1024;

const OPEN_ARRAY = 0x5b;

function foreignFormat(window: ByteWindow): string | undefined {
  const head = window.slice(0, Math.min(2, window.end)).toString("hex");
  if (head === "fffe" || head === "feff") return "the file is UTF-16; save it as UTF-8";
  if (head === "1f8b") return "the file is compressed; unpack it first";
  return undefined;
}

/**
 * Cuts a file of JSON lines, or one JSON array, into its rows. Memory holds one row at a time.
 *
 * @param limit longest row in bytes; a longer one becomes a problem
 * @example
 * for await (const row of splitRows(window)) if ("text" in row) JSON.parse(row.text);
 */
export async function* splitRows(
  window: ByteWindow,
  limit: number = MAX_ROW_BYTES,
): AsyncGenerator<RowText | RowProblem> {
  while (window.end < 3 && (await window.more()));
  const foreign = foreignFormat(window);
  if (foreign !== undefined) return yield { line: 1, reason: foreign };

  const hasMark = window.end >= 3 && window.slice(0, 3).toString("hex") === "efbbbf";
  let line = 1;
  for (let at = hasMark ? 3 : 0; at < window.end || (await window.more()); at += 1) {
    const byte = window.byteAt(at);
    if (!isSpace(byte))
      return yield* byte === OPEN_ARRAY
        ? arrayRows(window, at, line, limit)
        : lineRows(window, at, line, limit);
    if (byte === NEWLINE) line += 1;
    window.release(at);
  }
}
