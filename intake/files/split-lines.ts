import type { ByteWindow } from "./byte-window.ts";
import { isSpace, NEWLINE, type RowProblem, type RowText, rowOf } from "./row-text.ts";

/** Rows of a file with one JSON value a line, from an offset on. */
export async function* lineRows(
  window: ByteWindow,
  from: number,
  firstLine: number,
  limit: number,
): AsyncGenerator<RowText | RowProblem> {
  let start = from;
  let more = true;
  for (let line = firstLine; more; line += 1) {
    let stop = -1;
    for (let searched = start; stop === -1; ) {
      stop = window.indexOf(NEWLINE, searched);
      if (stop !== -1) break;
      searched = window.end;
      // A line above the limit is read to its end without being kept.
      window.release(searched - start > limit ? searched : start);
      more = await window.more();
      if (!more) stop = window.end;
    }
    if (stop - start > limit) yield { line, reason: `it is longer than ${limit} bytes` };
    else if (!isBlank(window.slice(start, stop))) yield rowOf(window.slice(start, stop), line);
    start = stop + 1;
  }
}

const isBlank = (bytes: Buffer): boolean => bytes.every(isSpace);
