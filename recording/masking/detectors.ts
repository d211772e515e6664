/** Takes out of a text what it recognises; a text in which it finds nothing comes back unchanged. */
export type Redact = (text: string) => string;

/** What may stand before a secret: nothing that continues a word, unless it is an escape such as `\n`. */
const START = String.raw`(?<!(?<!\\)[A-Za-z0-9])`;

/**
 * So many of a class, or more, as far as they go. Written like this, V8 needs no memory for each character, as it does
 * for `{n,}`.
 */
const many = (of: string, least: number): string => `${of}{${least}}${of}*`;

const WORD = String.raw`[\w-]`;
const ALNUM = "[A-Za-z0-9]";
/** Up to the next five dashes, or the end: cut off before its end, a private key is still one. */
const PEM = "-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,60}-----|(?=-----)|$)";

const KEYS = [
  `sk-${many(WORD, 16)}`,
  `(?:sk|rk|pk)_(?:live|test)_${many(ALNUM, 16)}`,
  "(?:AKIA|ASIA)[0-9A-Z]{16}",
  `AIza${WORD}{35}`,
  `gh[oprsu]_${many(ALNUM, 36)}`,
  `github_pat_${many(String.raw`\w`, 22)}`,
  `glpat-${many(WORD, 20)}`,
  `xox[abeoprs]-${many("[A-Za-z0-9-]", 10)}`,
  `hf_${many(ALNUM, 30)}`,
  `xai-${many(ALNUM, 20)}`,
  `gsk_${many(ALNUM, 20)}`,
  `npm_${many(ALNUM, 36)}`,
  `[Bb]earer ${many(String.raw`[\w.~+/-]`, 16)}=*`,
  PEM,
];

// Detectors read what models and tools wrote, so the time of each grows with the text and no faster: what follows a
// beginning that was found is read once, whether or not it is what was looked for.
const API_KEY = new RegExp(`${START}(?:${KEYS.join("|")})`, "g");
// Of these two the first part alone matches too, so that no second look begins within it; it is told apart afterwards.
const JWT = new RegExp(String.raw`${START}eyJ${many(WORD, 8)}(?:\.eyJ${many(WORD, 4)}\.${WORD}*)?`, "g");
const EMAIL = /[A-Za-z0-9._%+-]+(?:@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63})?/g;
/** 13 to 19 digits that begin as the networks' numbers do: other long numbers, such as times, do not. */
const CARD = /(?<![\w.-])(?=4|5[1-5]|2[2-7]|3[0-8]|6[0-9])\d(?:[ -]?\d){12,18}(?![\w-])/g;

/** The check digit of card numbers. */
function passesLuhn(text: string): boolean {
  const digits = [...text].filter((char) => char >= "0" && char <= "9").reverse();
  const sum = digits.reduce((total, char, index) => {
    const value = Number(char) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** Replaces every match that passes the check; an empty match is none. */
export const replacing =
  (pattern: RegExp, marker: string, isOne: (match: string) => boolean = () => true): Redact =>
  (text) =>
    text.replace(pattern, (match: string) => (match !== "" && isOne(match) ? marker : match));

/** What is recognised without being told how it looks. */
export const DETECTORS = {
  api_key: { pattern: API_KEY, isOne: () => true },
  jwt: { pattern: JWT, isOne: (match) => match.includes(".") },
  email: { pattern: EMAIL, isOne: (match) => match.includes("@") },
  card: { pattern: CARD, isOne: passesLuhn },
} satisfies Record<string, { pattern: RegExp; isOne: (match: string) => boolean }>;

/** Name of a built-in detector. */
export type DetectorName = keyof typeof DETECTORS;

/** The names of the built-in detectors. */
export const DETECTOR_NAMES = Object.keys(DETECTORS) as DetectorName[];
