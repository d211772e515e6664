/** The text of one row of a file, not yet parsed; `line` counts from 1. */
export interface RowText {
  line: number;
  text: string;
}

/** A part of a file that is no row, and why. */
export interface RowProblem {
  line: number;
  reason: string;
}

export const NEWLINE = 0x0a;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Says whether a byte is white space in JSON. */
export const isSpace = (byte: number): boolean =>
  byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;

/** Turns a row's bytes into text; bytes that are not UTF-8 are a problem, never replaced. */
export function rowOf(bytes: Buffer, line: number): RowText | RowProblem {
  try {
    return { line, text: decoder.decode(bytes) };
  } catch {
    return { line, reason: "it is not valid UTF-8" };
  }
}

/** How many lines end in these bytes. */
export function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
