import type { Finder, Span } from "./spans.ts";

/** Digits with single spaces, dots or dashes between them, as far as they go; what is longer is read in pieces. */
const RUN = /(?<![\w.-])\d{4}(?:[ .\u00a0\u2007\u2009\u202f-]?\d){0,400}(?![\w-])/g;
const GROUP = /\d+/g;

/** How card numbers are written: in one, in fours, or as American Express and Diners do. */
const LAYOUTS: readonly (readonly number[])[] = [
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
  [4, 4, 4, 1],
];

/** What the networks' numbers begin with, and how long they are. */
const NETWORKS =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11,16}|35\d{14,17}|6\d{15,18})$/;

/** The check digit of card numbers. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const value = Number(digits[digits.length - 1 - index]) * (index % 2 === 1 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

const isCard = (digits: string): boolean => NETWORKS.test(digits) && passesLuhn(digits);

interface Group extends Span {
  digits: string;
}

/** The end of the card number that begins with a group; undefined where none does. */
function cardAt(text: string, groups: readonly Group[], at: number): number | undefined {
  const { digits, start, end } = groups[at]!;
  // What follows a dot is the rest of a number.
  const isWhole = at === 0 || text[start - 1] !== ".";
  if (digits.length >= 13) return digits.length <= 19 && isWhole && isCard(digits) ? at : undefined;
  if (digits.length !== 4) return undefined;
  const between = text[end];
  for (const layout of LAYOUTS) {
    const parts = groups.slice(at, at + layout.length);
    const fits = layout.every((size, index) => parts[index]?.digits.length === size);
    const alike = parts.slice(0, -1).every((part) => text[part.end] === between);
    if (fits && alike && isCard(parts.map((part) => part.digits).join(""))) return at + layout.length - 1;
  }
  return undefined;
}

/** Finds card numbers of 13 to 19 digits whose check digit is right, also beside other numbers. */
export const cards: Finder = (text) => {
  const spans: Span[] = [];
  for (const run of text.matchAll(RUN)) {
    if (run[0].length < 13) continue;
    const groups: Group[] = [...run[0].matchAll(GROUP)].map(({ 0: digits, index }) => {
      const start = run.index + index;
      return { digits, start, end: start + digits.length };
    });
    for (let at = 0; at < groups.length; at += 1) {
      const last = cardAt(text, groups, at);
      if (last === undefined) continue;
      spans.push({ start: groups[at]!.start, end: groups[last]!.end });
      at = last;
    }
  }
  return spans;
};
