import { REDACTED } from "./marker.ts";

/** A part of a text, from `start` up to and without `end`. */
export interface Span {
  start: number;
  end: number;
}

/** Finds in a text what has to be taken out of it, from its beginning to its end. */
export type Finder = (text: string) => Span[];

/** What `matchesOf` is told besides the pattern. */
interface Matching {
  /** A text without it holds no match: it is found faster than a pattern. */
  needs?: string;
  /** Says whether a match is one. */
  isOne?: (match: string) => boolean;
}

/** Finds every match of a global pattern; an empty match is none. */
export function matchesOf(pattern: RegExp, { needs, isOne }: Matching = {}): Finder {
  return (text) => {
    const spans: Span[] = [];
    if (needs !== undefined && !text.includes(needs)) return spans;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [found] = match;
      if (found === "") pattern.lastIndex += 1;
      else if (isOne === undefined || isOne(found))
        spans.push({ start: match.index, end: match.index + found.length });
    }
    return spans;
  };
}

/** Spans in their order, those that overlap made one. */
export function merged(spans: Span[]): Span[] {
  if (spans.length < 2) return spans;
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  const whole: Span[] = [];
  let last: Span | undefined;
  for (const { start, end } of spans) {
    if (last !== undefined && start < last.end) last.end = Math.max(last.end, end);
    else {
      last = { start, end };
      whole.push(last);
    }
  }
  return whole;
}

/** A text with the marker in the place of each span; spans are in order and do not overlap. */
export function withoutSpans(text: string, spans: readonly Span[]): string {
  let left = "";
  let from = 0;
  for (const { start, end } of spans) {
    left += text.slice(from, start) + REDACTED;
    from = end;
  }
  return left + text.slice(from);
}

/** What stands between the markers of a text, each with its place: what was put there is no text for a finder. */
export function betweenMarkers(text: string, finder: Finder): Span[] {
  if (!text.includes(REDACTED)) return finder(text);
  const spans: Span[] = [];
  let start = 0;
  for (const piece of text.split(REDACTED)) {
    for (const span of finder(piece)) spans.push({ start: span.start + start, end: span.end + start });
    start += piece.length + REDACTED.length;
  }
  return spans;
}
