import type { Finder, Span } from "./spans.ts";

/** What follows the part before an at sign: a domain, also one with letters beyond ASCII. */
const DOMAIN = /@(?:[\p{L}\p{N}\p{M}-]{1,63}\.){1,8}(?:xn--[A-Za-z0-9-]{2,59}|[\p{L}\p{M}]{2,63})/uy;
/** A version after the name of a package, or the size in the name of a picture. */
const NO_DOMAIN = /^@(?:\d+\.\d+[.-]|[1-9]x\.(?:avif|gif|jpe?g|png|svg|webp)$)/i;
const LOCAL = /[\p{L}\p{N}\p{M}._%+'-]/u;
const ASCII_LOCAL = /[A-Za-z0-9._%+'-]/;
/** Scripts that put nothing between words: of these a word before an address is no part of it. */
const WITHOUT_SPACES =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** Longer ones are no addresses, but what an address may begin with is looked at no further back. */
const MOST_LOCAL = 128;

/** Where the part before an at sign begins. */
function localStart(text: string, at: number): number {
  const back = (fits: RegExp): number => {
    let start = at;
    while (start > 0 && at - start < MOST_LOCAL && fits.test(text[start - 1]!)) start -= 1;
    return start;
  };
  const ascii = back(ASCII_LOCAL);
  if (ascii === 0 || text.charCodeAt(ascii - 1) < 0x80) return ascii;
  const start = back(LOCAL);
  return ascii < at && WITHOUT_SPACES.test(text.slice(start, ascii)) ? ascii : start;
}

/** Finds e-mail addresses. `git@` names the user of a service and is none. */
export const emails: Finder = (text) => {
  const spans: Span[] = [];
  for (let at = text.indexOf("@"); at !== -1; ) {
    DOMAIN.lastIndex = at;
    const domain = DOMAIN.exec(text)?.[0];
    let start = domain === undefined || NO_DOMAIN.test(domain) ? at : localStart(text, at);
    // An apostrophe within a name, and no quote before one.
    while (start < at && text[start] === "'") start += 1;
    const end = at + (domain?.length ?? 1);
    if (start < at && text.slice(start, at) !== "git") spans.push({ start, end });
    at = text.indexOf("@", at + 1);
  }
  return spans;
};
