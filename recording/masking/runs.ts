import type { Span } from "./spans.ts";

/** A table of the ASCII characters that a pattern's class holds. */
function tableOf(kind: RegExp): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code < 128; code += 1) if (kind.test(String.fromCharCode(code))) table[code] = 1;
  return table;
}

/** Finds where characters of a kind stand without a break. */
export type Runs = (text: string) => Span[];

/**
 * Finds runs of at least so many characters of a kind. Of what is shorter most is never looked at: where the last of so
 * many characters is of another kind, no run is among them.
 *
 * @param kind a class of ASCII characters
 */
export function runsOf(kind: RegExp, least: number): Runs {
  const table = tableOf(kind);
  return (text) => {
    const runs: Span[] = [];
    const { length } = text;
    let start = 0;
    while (start + least <= length) {
      let at = start + least - 1;
      while (at >= start && table[text.charCodeAt(at)] === 1) at -= 1;
      if (at >= start) {
        start = at + 1;
        continue;
      }
      let end = start + least;
      while (end < length && table[text.charCodeAt(end)] === 1) end += 1;
      runs.push({ start, end });
      start = end + 1;
    }
    return runs;
  };
}
