import { isReference, looksSecret } from "./bare-values.ts";
import { BACKSLASH } from "./json-tokens.ts";
import type { IsSecretName } from "./secret-names.ts";
import type { Finder, Span } from "./spans.ts";

/** How far back from a separator its name may stand, and how long it may be. */
const MOST_GAP = 24;
const MOST_NAME = 80;
const LEAST_NAME = 2;
/** So much of a line is looked at beside a pair. */
const MOST_LEAD = 64;

const QUESTION = 0x3f;
/** `!`, `%`, `*`, `+`, `-`, `/`, `<`, `=`, `>`, `^`, `|` and `~`: with what follows them, a comparison or a sum. */
const OPERATORS: ReadonlySet<number> = new Set([..."!%*+-/<=>^|~"].map((char) => char.charCodeAt(0)));

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;
const isQuote = (code: number): boolean => code === 0x22 || code === 0x27 || code === 0x60;

/** Letters, digits, `_`, `-`, and all beyond ASCII. */
function isNameCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code === 0x2d ||
    code >= 0xc0
  );
}

/** The name that stands before a separator. */
interface Name {
  name: string;
  start: number;
  quoted: boolean;
  /** Directly before the separator. */
  tight: boolean;
}

/** Words that name nothing alone: `API key`, `connection string`, `authorization header`. */
const SECOND_WORD = /^(?:keys?|tokens?|strings?|headers?|values?|secrets?)$/i;
const MOST_SECOND = 7;

function wordBack(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start <= MOST_NAME && isNameCode(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

/** The name before a place, across spaces, quotes and however many backslashes; undefined where there is none. */
function nameBefore(text: string, at: number): Name | undefined {
  let end = at;
  const least = Math.max(0, at - MOST_GAP);
  while (end > least && isSpace(text.charCodeAt(end - 1))) end -= 1;
  const tight = end === at;
  if (text.charCodeAt(end - 1) === QUESTION) end -= 1;
  const quoted = isQuote(text.charCodeAt(end - 1));
  if (quoted) end -= 1;
  while (end > least && text.charCodeAt(end - 1) === BACKSLASH) end -= 1;
  let start = wordBack(text, end);
  const length = end - start;
  if (length > MOST_NAME || length < LEAST_NAME) return undefined;
  if (text.charCodeAt(start - 1) !== 0x20 || length > MOST_SECOND)
    return { name: text.slice(start, end), start, quoted, tight };
  if (text.startsWith("is", start) && length === 2) {
    end = start - 1;
    start = wordBack(text, end);
  }
  const name = text.slice(start, end);
  if (!SECOND_WORD.test(name)) return { name, start, quoted, tight };
  const first = wordBack(text, start - 1);
  return { name: `${text.slice(first, start - 1)} ${name}`, start: first, quoted, tight };
}

/** What stands under a name directly before a place, as `"token": ` does before a list: is it secret? */
export function isNamedSecret(text: string, start: number, isSecret: IsSecretName): boolean {
  let at = start;
  const least = Math.max(0, at - MOST_GAP);
  while (at > least && /\s/.test(text[at - 1]!)) at -= 1;
  if (text[at - 1] !== ":" && text[at - 1] !== "=") return false;
  const found = nameBefore(text, at - 1);
  return found !== undefined && isSecret(found.name);
}

/** A value, and whether it only stands for one that is elsewhere. */
interface Value extends Span {
  kept?: boolean;
}

/** A value in quotes, which may be escaped or three: what stands between them, or up to the end of what was cut off. */
function quotedValue(text: string, from: number): Value | undefined {
  let start = from;
  while (text[start] === "\\") start += 1;
  const one = text.slice(from, start + 1);
  const quote = text.startsWith(one.repeat(3), from) ? one.repeat(3) : one;
  start = from + quote.length;
  // The quote was the end of a text that asks for it: `input("Password: ")`.
  if (/[\s),;\]}]/.test(text[start] ?? " ")) return undefined;
  let end = start;
  while (end < text.length && (text[end] !== "\n" || quote.length === 3) && !text.startsWith(quote, end))
    end += quote.length === 1 && text[end] === "\\" ? 2 : 1;
  end = Math.min(end, text.length);
  return start === end ? undefined : { start, end, kept: isReference(text.slice(start, end)) };
}

/** Lists and objects that are no JSON, such as Python writes them: up to their end, or that of the text. */
function nestedValue(text: string, from: number): Span {
  let depth = 0;
  let quote = "";
  for (let at = from; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === "\\") at += 1;
    else if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "{" || char === "[" || char === "(") depth += 1;
    else if (char === "}" || char === "]" || char === ")") depth -= 1;
    if (depth === 0) return { start: from, end: at + 1 };
  }
  return { start: from, end: text.length };
}

const CREDENTIALS =
  /(?:Basic|Bearer|Token|Digest|Negotiate|NTLM|ApiKey|Api-Key|Key|OAuth|Hawk|SharedKey|AWS4-HMAC-SHA256)[ \t]+[^\s"'`\\${<*(%.…]/iy;
const COOKIES = /[\w!#$%&*+.^|~-]{1,128}=[^\s;=]/y;

/** The rest of a header's line, or of the quotes it stands in, where it is one of credentials or cookies. */
function headerValue(text: string, start: number, { name, start: nameStart }: Name): Span | undefined {
  const shape = /cookie$/i.test(name) ? COOKIES : /authorization$/i.test(name) ? CREDENTIALS : undefined;
  if (shape === undefined) return undefined;
  shape.lastIndex = start;
  if (!shape.test(text)) return undefined;
  const quote = isQuote(text.charCodeAt(nameStart - 1)) ? text[nameStart - 1] : undefined;
  let end = start;
  while (end < text.length && !/[\r\n]/.test(text[end]!) && text[end] !== quote) {
    if (text[end] === "\\" && /[rn"'`]/.test(text[end + 1] ?? "")) break;
    end += 1;
  }
  return { start, end };
}

const BARE = /[^\s"'`,;&)\]}<>|\\]+/y;

function bareValue(text: string, start: number, separator: string, found: Name): Span | undefined {
  BARE.lastIndex = start;
  const value = BARE.exec(text)?.[0].replace(/[.!?:]+$/, "") ?? "";
  if (value === "") return undefined;
  const end = start + value.length;
  const before = text[found.start - 1];
  const lead = text.slice(Math.max(0, found.start - MOST_LEAD), found.start);
  const isLine =
    /(?:^|\n)[ \t]*(?:- )?$/.test(lead) && /^[ \t]*(?:#|\r?\n|\\n|$)/.test(text.slice(end, end + MOST_LEAD));
  const assigned = separator === "=" && found.tight && start > 0 && text[start - 1] === "=";
  const place = {
    name: found.name,
    sure:
      (assigned && (before === "?" || before === "&" || /^[A-Z][A-Z0-9_]*$/.test(found.name))) ||
      (assigned && /(?:^|\n)(?:export )?$/.test(lead)),
    likely:
      (assigned && before !== "." && /^[\s;&"']?$/.test(text[end] ?? "")) || (separator === ":" && isLine),
  };
  return looksSecret(value, place) ? { start, end } : undefined;
}

function valueAfter(text: string, at: number, found: Name): Value | undefined {
  const separator = text[at]!;
  let start = at + 1;
  if (text[start] === separator) return undefined;
  if (text[start] === "=" || (separator === "=" && text[start] === ">")) start += 1;
  const most = start + MOST_GAP;
  while (start < most && isSpace(text.charCodeAt(start))) start += 1;
  const value = text[start];
  if (value === undefined || value === "\n" || value === "\r") return undefined;
  let quote = start;
  while (text[quote] === "\\" && quote < most) quote += 1;
  if (isQuote(text.charCodeAt(quote))) return quotedValue(text, start);
  if (value === "{" || value === "[") return found.quoted ? nestedValue(text, start) : undefined;
  return headerValue(text, start, found) ?? bareValue(text, start, separator, found);
}

/** The next of a character; the end where there is none. */
function next(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from);
  return at === -1 ? text.length : at;
}

/** `name: value` and `name=value`, as JSON, YAML, environments, queries, headers and prose have them. */
function pairs(text: string, isSecret: IsSecretName): Span[] {
  const spans: Span[] = [];
  let colon = next(text, ":", 0);
  let equals = next(text, "=", 0);
  for (let at = Math.min(colon, equals); at < text.length; at = Math.min(colon, equals)) {
    const isColon = at === colon;
    const span = isColon || !OPERATORS.has(text.charCodeAt(at - 1)) ? pairAt(text, at, isSecret) : undefined;
    if (span !== undefined && span.kept !== true) spans.push({ start: span.start, end: span.end });
    const from = Math.max(span?.end ?? 0, at + 1);
    if (colon < from) colon = next(text, ":", from);
    if (equals < from) equals = next(text, "=", from);
  }
  return spans;
}

/** Strings, wherever one may begin, with the dashes of a flag. */
const QUOTED = /"(?=-{0,2}([^"\\\n-][^"\\\n]{0,79})")/g;

/** Says whether a text without backslashes has a secret name anywhere: in quotes, or before a separator. */
export function hasSecretName(text: string, isSecret: IsSecretName): boolean {
  for (const [, name = ""] of text.matchAll(QUOTED)) if (isSecret(name)) return true;
  for (const separator of [":", "="])
    for (let at = text.indexOf(separator); at !== -1; at = text.indexOf(separator, at + 1)) {
      const found = nameBefore(text, at);
      if (found !== undefined && isSecret(found.name)) return true;
    }
  return false;
}

function pairAt(text: string, at: number, isSecret: IsSecretName): Value | undefined {
  const found = nameBefore(text, at);
  if (found === undefined || !isSecret(found.name)) return undefined;
  // The end of a path is no name.
  return text[at] === ":" && text[found.start - 1] === "/" ? undefined : valueAfter(text, at, found);
}

const FLAG =
  /-(?<![\w-]-)-?([A-Za-z][\w-]{1,63})[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"'`\\|;&)<>-][^\s"'`\\|;&)<>]*))/g;
const ELEMENT = /<([A-Za-z][\w:.-]{0,63})>([^<>]+)<\//g;
const ADDRESS = /:\/\/[^\s/:@"'<>`\\]{0,128}:([^\s/@"'<>`\\]{1,256})@/g;

/** `--password value` and `<password>value</password>`. */
function flagsAndElements(text: string, isSecret: IsSecretName): Span[] {
  const spans: Span[] = [];
  const add = (value: string, end: number): void => void spans.push({ start: end - value.length, end });
  if (text.includes("-"))
    for (const { 0: all, 1: name = "", 2: double, 3: single, 4: bare, index } of text.matchAll(FLAG)) {
      const value = double ?? single ?? bare ?? "";
      if (!isSecret(name) || isReference(value)) continue;
      const end = index + all.length - (bare === undefined ? 1 : 0);
      if (bare === undefined || looksSecret(bare, { name, sure: false, likely: false })) add(value, end);
    }
  if (text.includes("</"))
    for (const { 0: all, 1: name = "", 2: value = "", index } of text.matchAll(ELEMENT))
      if (isSecret(name) && !isReference(value) && value.trim() !== "") add(value, index + all.length - 2);
  return spans;
}

/** Passwords in addresses: `postgres://user:password@host`. */
function addresses(text: string): Span[] {
  const spans: Span[] = [];
  if (!text.includes("://")) return spans;
  for (const { 0: all, 1: password = "", index } of text.matchAll(ADDRESS)) {
    const end = index + all.length - 1;
    if (!isReference(password)) spans.push({ start: end - password.length, end });
  }
  return spans;
}

/** Finds what stands under secret names in a text that is no JSON; what JSON has under them is found by its structure. */
export const namedValues =
  (isSecret: IsSecretName): Finder =>
  (text) => {
    const spans = pairs(text, isSecret);
    const others = flagsAndElements(text, isSecret);
    const passwords = isSecret("password") ? addresses(text) : [];
    return others.length === 0 && passwords.length === 0 ? spans : [...spans, ...others, ...passwords];
  };
