import { runsOf } from "./runs.ts";
import { type Finder, matchesOf } from "./spans.ts";

/**
 * So many of a class, or more, as far as they go. Written like this, V8 needs no memory for each character, as it does
 * for `{n,}`.
 */
export const many = (of: string, least: number): string => `${of}{${least}}${of}*`;

/** What may stand before a secret: nothing that continues a word, unless it is an escape such as `\n`. */
export const START = String.raw`(?<!(?<!\\)[A-Za-z0-9])`;

const WORD = String.raw`[\w-]`;
const ALNUM = "[A-Za-z0-9]";
const LOWER_HEX = "[0-9a-f]";

/** Up to the next five dashes, or the end: cut off before its end, a private key is still one. */
const PEM =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]{0,60}-----|(?=-----)|$)/g;

/** Credentials of HTTP, however they are written. */
const BEARER = `[Bb][Ee][Aa][Rr][Ee][Rr] ${many(String.raw`[\w.~+/-]`, 16)}=*`;
const BASIC = /\bauthorization["']{0,2} {0,4}[:=] {0,4}["']?basic [A-Za-z0-9+/_-]{4}[A-Za-z0-9+/_-]*=*/gi;

/** Shapes that a word could begin within: they are looked for where a word begins. */
const AT_WORDS = [
  `sk-${many(WORD, 16)}`,
  `(?:sk|rk|pk)_(?:live|test)_${many(ALNUM, 16)}`,
  `(?:gsk|sk|sb_secret|sbp|shpat|shpca|shppa|shpss|fw|ntn|figd|dop_v1|e2b|r8|lin_api|lsv2_pt|lsv2_sk)_${many(WORD, 24)}`,
  `(?:xai|pplx|tvly|whsec|voyage|nvapi)[-_]${many(WORD, 20)}`,
  `hf_${many(ALNUM, 30)}`,
  `dapi${LOWER_HEX}{32}`,
  `hvs\\.${many(WORD, 24)}`,
  `SG\\.${many(WORD, 16)}\\.${many(WORD, 16)}`,
  `1//0${many(WORD, 30)}`,
  String.raw`\d{8,10}:AA${WORD}{33}`,
  BEARER,
];

/** Shapes that no word has in it: they are found directly after a letter too. */
const ANYWHERE = [
  `sk-ant-[a-z]{3,10}\\d\\d-${many(WORD, 16)}`,
  `sk-(?:proj|svcacct|admin|or-v1)-(?=[a-z_-]{0,80}[A-Z0-9])${many(WORD, 32)}`,
  "(?:AKIA|ASIA|ABIA)[0-9A-Z]{16}",
  `gh[oprsu]_${many(ALNUM, 36)}`,
  `github_pat_${many(String.raw`\w`, 22)}`,
  `gl(?:pat|dt|rt|ptt|ft|soat|cbt)-${many(WORD, 20)}`,
  `xox[abeoprs]-${many("[A-Za-z0-9-]", 10)}`,
  `xapp-\\d-${many("[A-Za-z0-9-]", 20)}`,
  `hooks\\.slack\\.com/services/${many("[A-Za-z0-9/]", 20)}`,
  `npm_${many(ALNUM, 36)}`,
  `pypi-AgEI${many(WORD, 40)}`,
  `ATATT3${many("[\\w=-]", 40)}`,
  `sntrys_${many("[\\w+/=]", 40)}`,
  `GOCSPX-${many(WORD, 20)}`,
  `ya29\\.${many("[\\w.-]", 20)}`,
  "AGE-SECRET-KEY-1[0-9A-Z]{40}",
  `(?:Account|SharedAccess)Key=${many("[A-Za-z0-9+/]", 32)}=*`,
];

/** After a letter not in the midst of what is base64 all along, where any four letters turn up. */
const GOOGLE = `(?:${START}|(?<![A-Za-z0-9+/]{16}))AIza${WORD}{35}`;

const SHAPES = new RegExp(`${START}(?:${AT_WORDS.join("|")})|${ANYWHERE.join("|")}|${GOOGLE}`, "g");
/** Every shape has so many of these in a row, so it is looked for only where they are. */
const LONG_RUNS = runsOf(/[\w.~+/=-]/, 15);
/** So much before such a row may belong to a shape, such as `Bearer`. */
const LEAD = 16;

/** Forty characters of base64 that stand alone, as secret keys of AWS do. */
const FORTY = /(?<![A-Za-z0-9+/=_.-])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_-])/;

/** Says whether characters are as mixed as chance makes them: paths, names and digests are not. */
function isMixed(text: string): boolean {
  const upper = text.replace(/[^A-Z]/g, "").length;
  const lower = text.replace(/[^a-z]/g, "").length;
  return upper >= 8 && lower >= 8 && /\d/.test(text) && new Set(text).size >= 20;
}

/** Without the header's name `Basic` is a word: what follows it has to be a name and a password. */
const BASIC_ALONE = /\bbasic [A-Za-z0-9+/]{6}[A-Za-z0-9+/]*={0,2}/gi;
const isNameAndPassword = (match: string): boolean =>
  /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(Buffer.from(match.slice(6), "base64").toString("latin1"));

const shapes = matchesOf(SHAPES);
const headers = matchesOf(BASIC);
const basics = matchesOf(BASIC_ALONE, { isOne: isNameAndPassword });
const privateKeys = matchesOf(PEM, { needs: "-----BEGIN " });

/** Finds API keys and the like by their shapes. */
export const keyShapes: Finder = (text) => {
  const spans = [...privateKeys(text), ...headers(text), ...basics(text)];
  for (const run of LONG_RUNS(text)) {
    const from = Math.max(0, run.start - LEAD);
    const piece = text.slice(from, run.end);
    for (const { start, end } of shapes(piece)) spans.push({ start: from + start, end: from + end });
    const forty = run.end - run.start >= 40 ? FORTY.exec(piece) : null;
    if (forty !== null && isMixed(forty[0]))
      spans.push({ start: from + forty.index, end: from + forty.index + 40 });
  }
  return spans;
};
