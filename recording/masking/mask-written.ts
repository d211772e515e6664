import { BACKSLASH, beginsNumber, endOfScalar, endOfString } from "./json-tokens.ts";
import { REDACTED } from "./marker.ts";
import { betweenMarkers, type Finder, merged, type Span } from "./spans.ts";

/** What a token holds of a match, and whether that goes beyond the token. */
interface Held extends Span {
  beyond: boolean;
}

/** Goes through matches, token by token. */
class Matches {
  readonly #spans: readonly Span[];
  #next = 0;

  constructor(spans: readonly Span[]) {
    this.#spans = spans;
  }

  within(start: number, end: number): Held[] {
    while ((this.#spans[this.#next]?.end ?? end) <= start) this.#next += 1;
    const held: Held[] = [];
    for (let index = this.#next; index < this.#spans.length; index += 1) {
      const span = this.#spans[index]!;
      if (span.start >= end) break;
      const beyond = span.start < start || span.end > end;
      held.push({ start: Math.max(start, span.start), end: Math.min(end, span.end), beyond });
    }
    return held;
  }
}

/**
 * What of a string is taken out, with no escape cut. A match within it is left to what the string says where it begins
 * in an escape, or where the string may hold JSON itself.
 */
function outOfString(text: string, start: number, held: readonly Held[], mayHoldJson: boolean): Span[] {
  let index = start;
  let length = 0;
  /** Goes to the character that holds a place. */
  const reach = (at: number): void => {
    for (;;) {
      length = text.charCodeAt(index) !== BACKSLASH ? 1 : text[index + 1] === "u" ? 6 : 2;
      if (index + length > at) return;
      index += length;
    }
  };
  return held.flatMap((span) => {
    reach(span.start);
    const from = index;
    reach(span.end - 1);
    const to = index + length;
    const isWhole = from === span.start && to === span.end;
    return span.beyond || (isWhole && !mayHoldJson) ? [{ start: from, end: to }] : [];
  });
}

/**
 * Takes out of JSON what patterns find in it as it is written, such as `"ssn":"\d+"`: what a match holds of strings,
 * numbers and literals goes, and what keeps them apart stays, so the result is JSON too.
 */
export function maskWritten(text: string, patterns: Finder): string {
  const spans = merged(betweenMarkers(text, patterns));
  if (spans.length === 0) return text;
  const matches = new Matches(spans);
  let masked = "";
  let kept = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const end = endOfString(text, at);
      const held = matches.within(at + 1, end - 1);
      const mayHoldJson = held.length > 0 && /[{[]/.test(text.slice(at + 1, end));
      for (const span of outOfString(text, at + 1, held, mayHoldJson)) {
        masked += text.slice(kept, span.start) + REDACTED;
        kept = span.end;
      }
      at = end;
    } else if (beginsNumber(code) || (code >= 0x61 && code <= 0x7a)) {
      const end = endOfScalar(text, at);
      if (matches.within(at, end).length > 0) {
        masked += text.slice(kept, at) + JSON.stringify(REDACTED);
        kept = end;
      }
      at = end;
    } else at += 1;
  }
  return kept === 0 ? text : masked + text.slice(kept);
}
