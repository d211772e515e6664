import type { Redact } from "./detectors.ts";
import { REDACTED } from "./marker.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** The end of the JSON string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return index + 1;
    index += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
}

function endOfNumber(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && /[\d.eE+-]/.test(text[index]!)) index += 1;
  return index;
}

/** Of a text that is not stable after so many looks, nothing stays: each look could find one match, and take for ever. */
const MOST_LOOKS = 20;

/** Applies a rule to what stands between markers until nothing changes: a marker may part what a rule took for one. */
function untilStable(text: string, redact: Redact): string {
  let before = text;
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const after = before.includes(REDACTED)
      ? before.split(REDACTED).map(redact).join(REDACTED)
      : redact(before);
    if (after === before) return after;
    before = after;
  }
  return REDACTED;
}

function isJson(text: string): boolean {
  if (!/^\s*[[{"]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A string or number of a JSON text, masked by what it says rather than by how it is escaped. */
function maskToken(token: string, redact: Redact): string {
  if (token.charCodeAt(0) !== QUOTE) return redact(token) === token ? token : JSON.stringify(REDACTED);
  const value = token.includes("\\") ? (JSON.parse(token) as string) : token.slice(1, -1);
  const masked = maskText(value, redact);
  return masked === value ? token : JSON.stringify(masked);
}

function maskJson(text: string, redact: Redact): string {
  let masked = "";
  let kept = 0;
  for (let index = 0; index < text.length; ) {
    const code = text.charCodeAt(index);
    const end =
      code === QUOTE ? endOfString(text, index) : isDigit(code) ? endOfNumber(text, index) : undefined;
    if (end === undefined) {
      index += 1;
      continue;
    }
    // A sign belongs to the number.
    const start = code !== QUOTE && text[index - 1] === "-" ? index - 1 : index;
    const token = text.slice(start, end);
    const replaced = maskToken(token, redact);
    if (replaced !== token) {
      masked += text.slice(kept, start) + replaced;
      kept = end;
    }
    index = end;
  }
  return kept === 0 ? text : masked + text.slice(kept);
}

/**
 * Masks a text. In JSON, also JSON within JSON, every string is masked by its value and all else stays as it was
 * written, so the result is JSON too.
 *
 * @example
 * maskText('{"to":"a\\u0040b.example"}', redact); // '{"to":"[atlas:redacted]"}'
 */
export function maskText(text: string, redact: Redact): string {
  return isJson(text) ? maskJson(text, redact) : untilStable(text, redact);
}
