import type { ByteWindow } from "./byte-window.ts";
import { isSpace, NEWLINE, type RowProblem, type RowText } from "./row-text.ts";
import { arrayRows } from "./split-array.ts";
import { eventRows, isEventLine } from "./split-events.ts";
import { lineRows } from "./split-lines.ts";
import { wholeValues } from "./split-values.ts";

/** The longest row, in bytes; one JavaScript string cannot hold much more than four times that. */
export const MAX_ROW_BYTES = 128 * 1024 * 1024;

/** How many bytes of a line say whether it is one of an event stream. */
const FIELD_BYTES = 16;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

type Layout = "lines" | "array" | "values" | "events" | "no JSON";

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/** The offset of the first byte from an offset on that is no space; the end of the file where there is none. */
async function nextMark(window: ByteWindow, from: number): Promise<number> {
  let at = from;
  while (at < window.end || (await window.more())) {
    if (!isSpace(window.byteAt(at))) return at;
    at += 1;
  }
  return at;
}

async function endOfLine(window: ByteWindow, from: number, limit: number): Promise<number> {
  for (let searched = from; ; ) {
    const found = window.indexOf(NEWLINE, searched);
    if (found !== -1) return found;
    searched = window.end;
    if (searched - from > limit || !(await window.more())) return window.end;
  }
}

/** How the values of a file stand in it, by its first line and how the second begins. */
async function layoutOf(window: ByteWindow, from: number, limit: number): Promise<Layout> {
  const first = window.byteAt(from);
  const stop = await endOfLine(window, from, limit);
  const isOneLine = stop - from <= limit && isJson(window.slice(from, stop));
  if (isEventLine(window.slice(from, Math.min(stop, from + FIELD_BYTES)))) return "events";
  const next = stop < window.end ? await nextMark(window, stop) : window.end;
  const opens = (byte: number): boolean => byte === OPEN_ARRAY || byte === OPEN_OBJECT;
  const isNextRow = next < window.end && opens(window.byteAt(next));
  if (first === OPEN_ARRAY) return isOneLine && isNextRow ? "lines" : "array";
  // Only what is printed over many lines goes on with something else than a value that opens at the margin.
  const isAtMargin = isNextRow && window.byteAt(next - 1) === NEWLINE;
  if (isOneLine || isAtMargin || next === window.end) return "lines";
  if (first === OPEN_OBJECT) return "values";
  return isNextRow ? "lines" : "no JSON";
}

/**
 * Cuts a file of JSON into its rows: JSON lines, one array, values that are printed over many lines, or
 * a recorded event stream. Memory holds one
 * row at a time.
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
  const hasMark = window.end >= 3 && window.slice(0, 3).toString("hex") === "efbbbf";
  let line = 1;
  for (let at = hasMark ? 3 : 0; at < window.end || (await window.more()); at += 1) {
    const byte = window.byteAt(at);
    if (!isSpace(byte)) {
      const layout = await layoutOf(window, at, limit);
      if (layout === "no JSON") return yield { line, reason: "the file is no JSON" };
      const rows = { lines: lineRows, array: arrayRows, values: wholeValues, events: eventRows }[layout];
      return yield* rows(window, at, line, limit);
    }
    if (byte === NEWLINE) line += 1;
    window.release(at);
  }
}
