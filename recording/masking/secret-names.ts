/** Says of a name, such as a key of JSON, whether what stands under it is secret. */
export type IsSecretName = (name: string) => boolean;

/** Longer ones are no names. */
const MOST_NAME = 80;
/** So many answers are remembered: traces say the same names over and over. */
const MOST_REMEMBERED = 4096;

const listed = (names: string): ReadonlySet<string> => new Set(names.split(/,\s+/));

/** What a secret is called: a name that ends with one of these. Words are in lower case, with spaces between them. */
const SECRETS =
  listed(`password, passwords, passwd, pwd, passphrase, passcode, secret, secrets, token, authorization,
  cookie, cookies, credential, credentials, bearer, jwt, access tokens, refresh tokens, auth tokens, session tokens,
  bearer tokens, api tokens, apikey, apikeys, api key, api keys, secret key, secret keys, access key, access keys,
  private key, private keys, signing key, encryption key, account key, shared key, master key, storage key, auth key,
  session key, service key, secret string, connection string, connection strings, db pass, user pass, smtp pass, mail pass,
  email pass, ftp pass, admin pass, root pass, mysql pass, postgres pass, redis pass, proxy pass`);

/** Written as one word, a secret is what ends like this. */
const RUN_TOGETHER =
  /(?:password|passwd|passphrase|secret|apikey|(?:access|refresh|id|auth|session|bearer|client|csrf|xsrf)token|(?:private|secret|access|account)key|connectionstring)s?$/;

/** What is called an API key, for those who look for keys alone. */
const API_KEYS = listed("apikey, apikeys, api key, api keys, secret access key, account key");
const API_KEYS_RUN_TOGETHER = /(?:apikeys?|secretaccesskey|accountkey)$/;

/** What says nothing about the kind: `password_hash` and `secret_value` are as secret as what they are of. */
const FILLERS = listed(
  "value, hash, base64, b64, confirmation, confirm, again, plain, plaintext, raw, header",
);

/** Before `token`, these say that it is one of a text, or a place in a list. */
const NO_CREDENTIAL =
  listed(`eos, bos, pad, unk, sep, cls, mask, stop, special, added, control, start, end, begin, first,
  last, next, previous, prev, current, page, continuation, sync, max, min, num, per, each, prompt, completion, input,
  output, total, cached, reasoning, thinking, image, audio, text, word, sub, lexer, parser, syntax, cancel,
  cancellation`);

/** The words of a name: `accessToken`, `ACCESS_TOKEN` and `access-token` are two. */
function wordsOf(name: string): string[] {
  return name
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

/** The words without what says nothing at their end. */
function namingWords(name: string): string[] {
  const words = wordsOf(name);
  while (words.length > 1 && (FILLERS.has(words.at(-1)!) || /^\d+$/.test(words.at(-1)!))) words.pop();
  const last = words.pop();
  return last === undefined ? words : [...words, last.replace(/(?<=\D)\d{1,3}$/, "")];
}

function endsWith(words: readonly string[], ends: ReadonlySet<string>, runTogether: RegExp): boolean {
  const last = words.at(-1);
  if (last === undefined) return false;
  if (last === "token" && NO_CREDENTIAL.has(words.at(-2) ?? "")) return false;
  if (runTogether.test(last)) return true;
  return [1, 2, 3].some((count) => words.length >= count && ends.has(words.slice(-count).join(" ")));
}

function remembering(isSecret: (words: readonly string[]) => boolean): IsSecretName {
  const known = new Map<string, boolean>();
  return (name) => {
    // A path, such as that of a package, is no name.
    if (name.length > MOST_NAME || name.includes("/")) return false;
    let answer = known.get(name);
    if (answer === undefined) {
      if (known.size >= MOST_REMEMBERED) known.clear();
      answer = isSecret(namingWords(name));
      known.set(name, answer);
    }
    return answer;
  };
}

/** Which names are secret. */
export interface SecretNaming {
  /** Passwords, tokens, cookies and whatever else is called a secret. */
  secrets?: boolean;
  /** API keys alone. */
  apiKeys?: boolean;
  /** Names of one's own; longer names may end with them. */
  names?: readonly string[];
}

/**
 * Says which names are secret, in whatever case they are and however their words are kept apart; undefined where none is.
 *
 * @example
 * secretNames({ secrets: true })?.("clientSecret"); // true
 */
export function secretNames({ secrets, apiKeys, names = [] }: SecretNaming): IsSecretName | undefined {
  if (secrets !== true && apiKeys !== true && names.length === 0) return undefined;
  const own = new Set(names.map((name) => namingWords(name).join(" ")));
  const mostWords = [...own].reduce((most, name) => Math.max(most, name.split(" ").length), 0);
  const isOwn = (words: readonly string[]): boolean => {
    for (let count = 1; count <= Math.min(mostWords, words.length); count += 1)
      if (own.has(words.slice(-count).join(" "))) return true;
    return false;
  };
  return remembering(
    (words) =>
      (secrets === true && endsWith(words, SECRETS, RUN_TOGETHER)) ||
      (apiKeys === true && endsWith(words, API_KEYS, API_KEYS_RUN_TOGETHER)) ||
      (own.size > 0 && isOwn(words)),
  );
}
