import { jsonParts, mayHoldJson } from "./json-parts.ts";
import { isJson } from "./json-tokens.ts";
import { REDACTED } from "./marker.ts";
import { maskJson } from "./mask-json.ts";
import { maskWritten } from "./mask-written.ts";
import { hasSecretName, isNamedSecret } from "./named-values.ts";
import type { IsSecretName } from "./secret-names.ts";
import { betweenMarkers, type Finder, merged, type Span, withoutSpans } from "./spans.ts";

/** What is taken out of texts. */
export interface TextRules {
  /** Finds everything in a text that is no JSON. */
  finder: Finder;
  /** Patterns alone, which also go over JSON as it is written. */
  patterns: Finder | undefined;
  /** Names under which everything is secret. */
  isSecret: IsSecretName | undefined;
  /** Keys of JSON in which nothing was found. */
  cleanKeys: Set<string>;
}

/**
 * A few words or numbers, as most strings of JSON are: no key is as short as these words, no card has as few digits, and all
 * else has signs that these have not. Only patterns find something in them.
 */
const PLAIN = /^(?!.*(?:[Aa][Ss][Ii][Cc] |-\w+ |\d{4}))(?:[\w.+/-]{0,14}[ ,;!?()'#$*])*[\w.+/-]{0,14}$/;
const MOST_PLAIN = 48;

/** Of a text that is not stable after so many looks, nothing stays: each look could find one match, and take for ever. */
const MOST_LOOKS = 20;

/** Looks at a text until nothing changes: a marker may part what was taken for one, or bring it together. */
function untilStable(text: string, look: (text: string) => string, whole: string): string {
  let before = text;
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const after = look(before);
    if (after === before) return after;
    before = after;
  }
  return whole;
}

function maskJsonText(text: string, rules: TextRules): string {
  const { patterns, isSecret, finder, cleanKeys } = rules;
  const left =
    patterns === undefined
      ? text
      : untilStable(text, (before) => maskWritten(before, patterns), JSON.stringify(REDACTED));
  return maskJson(left, {
    isSecret,
    cleanKeys,
    maskString: (said) => maskText(said, rules),
    // Without patterns only a card number can be one.
    hidesNumber: (written) => (patterns !== undefined || written.length >= 13) && finder(written).length > 0,
  });
}

/** Masks the JSON within a text; says where it is now. */
function maskParts(text: string, rules: TextRules): { text: string; parts: Span[] } {
  const parts: Span[] = [];
  let masked = "";
  let kept = 0;
  for (const { start, end } of jsonParts(text)) {
    const { isSecret } = rules;
    const named = isSecret !== undefined && isNamedSecret(text, start, isSecret);
    masked += text.slice(kept, start);
    const part = named ? JSON.stringify(REDACTED) : maskJsonText(text.slice(start, end), rules);
    parts.push({ start: masked.length, end: masked.length + part.length });
    masked += part;
    kept = end;
  }
  return { text: kept === 0 ? text : masked + text.slice(kept), parts };
}

/** Spans but those within a part. Both are in order. */
function outside(spans: readonly Span[], parts: readonly Span[]): Span[] {
  let next = 0;
  return spans.filter(({ start, end }) => {
    while ((parts[next]?.end ?? end) < end) next += 1;
    const part = parts[next];
    return part === undefined || start < part.start || end > part.end;
  });
}

/** Says whether JSON within a text may hide what is not found in the text as it stands: an escape, a name, a pattern. */
const mayHide = (text: string, { patterns, isSecret }: TextRules): boolean =>
  patterns !== undefined || text.includes("\\") || (isSecret !== undefined && hasSecretName(text, isSecret));

function lookAt(text: string, rules: TextRules): string {
  const holdsJson = mayHoldJson(text);
  if (holdsJson && !mayHide(text, rules) && rules.finder(text).length === 0) return text;
  const { text: left, parts } = holdsJson ? maskParts(text, rules) : { text, parts: [] };
  const found = merged(betweenMarkers(left, rules.finder));
  const spans = parts.length === 0 ? found : outside(found, parts);
  return spans.length === 0 ? left : withoutSpans(left, spans);
}

/**
 * Masks a text. In JSON, also JSON within JSON or within other text, every string is masked by its value, what is
 * secret by its key goes whole, and all else stays as it was written: so JSON stays JSON.
 *
 * @example
 * maskText('{"to":"a\\u0040b.example"}', rules); // '{"to":"[atlas:redacted]"}'
 */
export const maskText = (text: string, rules: TextRules): string =>
  text.length <= MOST_PLAIN && rules.patterns === undefined && PLAIN.test(text)
    ? text
    : isJson(text)
      ? maskJsonText(text, rules)
      : untilStable(text, (before) => lookAt(before, rules), REDACTED);
