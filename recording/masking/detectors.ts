/** Takes out of a text what it recognises; a text in which it finds nothing comes back unchanged. */
export type Redact = (text: string) => string;

/** What may stand before a secret: nothing that continues a word, unless it is an escape such as `\n`. */
const START = String.raw`(?<!(?<!\\)[A-Za-z0-9])`;

const KEYS = [
  /sk-[\w-]{16,}/,
  /(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}/,
  /(?:AKIA|ASIA)[0-9A-Z]{16}/,
  /AIza[\w-]{35}/,
  /gh[oprsu]_[A-Za-z0-9]{36,}/,
  /github_pat_\w{22,}/,
  /glpat-[\w-]{20,}/,
  /xox[abeoprs]-[A-Za-z0-9-]{10,}/,
  /hf_[A-Za-z0-9]{30,}/,
  /xai-[A-Za-z0-9]{20,}/,
  /gsk_[A-Za-z0-9]{20,}/,
  /npm_[A-Za-z0-9]{36,}/,
  /[Bb]earer [\w.~+/-]{16,}=*/,
  // Cut off before its end, a private key is still one.
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----))*(?:-----END [A-Z ]{0,60}-----)?/,
];

const API_KEY = new RegExp(`${START}(?:${KEYS.map(({ source }) => source).join("|")})`, "g");
const JWT = new RegExp(String.raw`${START}eyJ[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]*`, "g");
const EMAIL = /[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}/g;
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
  jwt: { pattern: JWT, isOne: () => true },
  email: { pattern: EMAIL, isOne: () => true },
  card: { pattern: CARD, isOne: passesLuhn },
} satisfies Record<string, { pattern: RegExp; isOne: (match: string) => boolean }>;

/** Name of a built-in detector. */
export type DetectorName = keyof typeof DETECTORS;

/** The names of the built-in detectors. */
export const DETECTOR_NAMES = Object.keys(DETECTORS) as DetectorName[];
