import type { ByteWindow } from "./byte-window.ts";
import { countLines, isSpace, NEWLINE, type RowProblem, type RowText, rowOf } from "./row-text.ts";
import { endOfValue } from "./split-array.ts";

/**
 * Values that stand one after the other, each over as many lines as it takes: one pretty-printed object, or several.
 * A value without an end is the last one, and one problem.
 */
export async function* wholeValues(
  window: ByteWindow,
  from: number,
  firstLine: number,
  limit: number,
): AsyncGenerator<RowText | RowProblem> {
  let line = firstLine;
  for (let at = from; at < window.end || (await window.more()); ) {
    const byte = window.byteAt(at);
    if (isSpace(byte)) {
      if (byte === NEWLINE) line += 1;
      at += 1;
      window.release(at);
      continue;
    }
    const found = await endOfValue(window, at, limit);
    if ("broken" in found) return yield { line, reason: found.broken };
    const bytes = window.slice(at, found.stop);
    yield rowOf(bytes, line);
    line += countLines(bytes);
    at = found.stop;
    window.release(at);
  }
}
