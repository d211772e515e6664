import { isReference, looksSecret } from "./bare-values.ts";
import type { IsSecretName } from "./secret-names.ts";
import type { Finder, Span } from "./spans.ts";

/** How far back from a separator its name may stand, and how long it may be. */
const MOST_GAP = 24;
const MOST_NAME = 80;
/** So much of a line is looked at beside a pair. */
const MOST_LEAD = 64;

const isSpace = (char: string | undefined): boolean => char === " " || char === "\t";
const isQuote = (char: string | undefined): boolean => char === '"' || char === "'" || char === "`";

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

function wordBack(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start <= MOST_NAME && isNameCode(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

/** The name before a place, across spaces, quotes and however many backslashes; undefined where there is none. */
function nameBefore(text: string, at: number): Name | undefined {
  let end = at;
  const least = Math.max(0, at - MOST_GAP);
  while (end > least && isSpace(text[end - 1])) end -= 1;
  const tight = end === at;
  if (text[end - 1] === "?") end -= 1;
  const quoted = isQuote(text[end - 1]);
  if (quoted) end -= 1;
  while (end > least && text[end - 1] === "\\") end -= 1;
  let start = wordBack(text, end);
  if (start === end || end - start > MOST_NAME) return undefined;
  if (text.slice(start - 1, end) === " is") {
    end = start - 1;
    start = wordBack(text, end);
  }
  const name = text.slice(start, end);
  if (text[start - 1] !== " " || !SECOND_WORD.test(name)) return { name, start, quoted, tight };
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
  const quote = isQuote(text[nameStart - 1]) ? text[nameStart - 1] : undefined;
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
  while (start < most && isSpace(text[start])) start += 1;
  const value = text[start];
  if (value === undefined || value === "\n" || value === "\r") return undefined;
  let quote = start;
  while (text[quote] === "\\" && quote < most) quote += 1;
  if (isQuote(text[quote])) return quotedValue(text, start);
  if (value === "{" || value === "[") return found.quoted ? nestedValue(text, start) : undefined;
  return headerValue(text, start, found) ?? bareValue(text, start, separator, found);
}

/** `name: value` and `name=value`, as JSON, YAML, environments, queries, headers and prose have them. */
function pairs(text: string, isSecret: IsSecretName): Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 0x3a && code !== 0x3d) continue;
    // A comparison, or a sum.
    if (code === 0x3d && /[!<>=~+*/%|^-]/.test(text[at - 1] ?? "")) continue;
    const found = nameBefore(text, at);
    if (found === undefined || !isSecret(found.name)) continue;
    // The end of a path is no name.
    if (code === 0x3a && text[found.start - 1] === "/") continue;
    const span = valueAfter(text, at, found);
    if (span === undefined) continue;
    if (span.kept !== true) spans.push({ start: span.start, end: span.end });
    at = Math.max(span.end - 1, at);
  }
  return spans;
}

const FLAG =
  /(?<![\w-])--?([A-Za-z][\w-]{1,63})[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"'`\\|;&)<>-][^\s"'`\\|;&)<>]*))/g;
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
