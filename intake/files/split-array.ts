import type { ByteWindow } from "./byte-window.ts";
import { countLines, isSpace, NEWLINE, type RowProblem, type RowText, rowOf } from "./row-text.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Deeper brackets are only counted; the row's parser refuses such a row anyway. */
const MATCHED_DEPTH = 1024;

type Found = { stop: number } | { broken: string };

/**
 * Rows of a JSON array whose bracket stands at an offset. After a row that has no end, reading goes on at the next
 * line that begins as that row's line did; commas are not insisted on.
 */
export async function* arrayRows(
  window: ByteWindow,
  bracket: number,
  firstLine: number,
  limit: number,
): AsyncGenerator<RowText | RowProblem> {
  let line = firstLine;
  // Where the present line starts, as long as no row has begun or ended on it.
  let lineStart: number | undefined;
  for (let at = bracket + 1; ; ) {
    window.release(lineStart ?? at);
    if (at === window.end && !(await window.more())) return yield { line, reason: "the array is not closed" };
    const byte = window.byteAt(at);
    if (byte === CLOSE_ARRAY) return yield* afterArray(window, at + 1, line);
    if (byte === NEWLINE) {
      line += 1;
      lineStart = at + 1;
    }
    if (byte === COMMA || isSpace(byte)) {
      at += 1;
      continue;
    }
    const lineHead = lineStart === undefined ? undefined : Buffer.from(window.slice(lineStart, at + 1));
    lineStart = undefined;
    window.release(at);
    const found = await endOfValue(window, at, limit);
    if ("stop" in found) {
      const bytes = window.slice(at, found.stop);
      yield rowOf(bytes, line);
      line += countLines(bytes);
      at = found.stop;
    } else {
      const next = lineHead === undefined ? undefined : await nextLineLike(window, lineHead, at);
      const rest = next === undefined ? "; the rows after it could not be told apart" : "";
      yield { line, reason: `${found.broken}${rest}` };
      if (next === undefined) return;
      line += next.lines;
      lineStart = next.start;
      at = lineStart;
    }
  }
}

/** The offset after the value that starts at an offset; or what keeps it from having an end. */
export async function endOfValue(window: ByteWindow, from: number, limit: number): Promise<Found> {
  const open: number[] = [];
  let depth = 0;
  let inString = false;
  for (let at = from; ; at += 1) {
    if (at - from > limit) return { broken: `it has no end within ${limit} bytes` };
    if (at === window.end && !(await window.more())) {
      return depth === 0 && !inString ? { stop: at } : { broken: "it has no end" };
    }
    const byte = window.byteAt(at);
    if (inString) {
      if (byte === NEWLINE) return { broken: "a line ends inside a string" };
      if (byte === BACKSLASH) {
        at += 1;
        if (at === window.end && !(await window.more())) return { broken: "it has no end" };
      } else if (byte === QUOTE) {
        inString = false;
        if (depth === 0) return { stop: at + 1 };
      }
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (depth < MATCHED_DEPTH) open[depth] = byte;
      depth += 1;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return { stop: Math.max(at, from + 1) };
      depth -= 1;
      const opened = byte === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_ARRAY;
      if (depth < MATCHED_DEPTH && open[depth] !== opened) return { broken: "its brackets do not match" };
      if (depth === 0) return { stop: at + 1 };
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) {
      return { stop: at };
    }
  }
}

/** The next line that begins with the same white space and character, and how many lines further it is. */
async function nextLineLike(
  window: ByteWindow,
  head: Buffer,
  from: number,
): Promise<{ start: number; lines: number } | undefined> {
  const wanted = Buffer.concat([Buffer.of(NEWLINE), head]);
  let lines = 0;
  for (let at = from; ; ) {
    const found = window.indexOf(wanted, at);
    const checked = found === -1 ? Math.max(at, window.end - wanted.length) : found + 1;
    lines += countLines(window.slice(at, checked));
    if (found !== -1) return { start: checked, lines };
    at = checked;
    window.release(at);
    if (!(await window.more())) return undefined;
  }
}

async function* afterArray(window: ByteWindow, from: number, firstLine: number): AsyncGenerator<RowProblem> {
  let line = firstLine;
  window.release(from);
  for (let at = from; at < window.end || (await window.more()); at += 1) {
    const byte = window.byteAt(at);
    if (!isSpace(byte)) return yield { line, reason: "there is more after the end of the array" };
    if (byte === NEWLINE) line += 1;
    window.release(at);
  }
}
