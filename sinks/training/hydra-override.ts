/** What Hydra reads as the text that it is, without quotes. */
const PLAIN = /^[A-Za-z_./][A-Za-z0-9_./-]*$/;
/** Plain words that Hydra would read as something else than text. */
const NOT_TEXT = /^(null|true|false|yes|no|on|off|inf|nan|\.|\.\.)$/i;

/**
 * A value as Hydra's command line reads it back: numbers as they are, text in quotes wherever it could mean anything
 * else, so that a path with a comma is not taken for a sweep.
 *
 * @example
 * hydraValue("traces, approved.jsonl"); // "'traces, approved.jsonl'"
 */
export function hydraValue(value: string | number): string {
  if (typeof value === "number") return String(value);
  if (PLAIN.test(value) && !NOT_TEXT.test(value)) return value;
  // Backslashes count only before a quote; interpolations would be filled in even between quotes.
  const escaped = value
    .replace(/(\\*)'/g, "$1$1\\'")
    .replace(/\\+$/, "$&$&")
    .replaceAll("${", "\\${");
  return `'${escaped}'`;
}

const SECRET = /key|token|secret|password/i;

/**
 * The same command line for people to see: values of what is named like a secret are left out.
 *
 * @example
 * withoutSecrets(["hub_token=hf_abc", "learning_rate=0.1"]); // ["hub_token=***", "learning_rate=0.1"]
 */
export const withoutSecrets = (words: readonly string[]): string[] =>
  words.map((word) => {
    const at = word.indexOf("=");
    if (at === -1) return SECRET.test(word) ? "***" : word;
    return SECRET.test(word.slice(0, at)) ? `${word.slice(0, at)}=***` : word;
  });

/** A command line that can be pasted into a shell. */
export const shellLine = (words: readonly string[]): string =>
  words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
