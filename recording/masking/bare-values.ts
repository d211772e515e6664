/** Where a value without quotes stands. */
export interface BarePlace {
  name: string;
  /** A query or an environment has it: whatever it is, it is a value. */
  sure: boolean;
  /** As data has it, rather than code. */
  likely: boolean;
}

/** Stands for a value that is elsewhere: `$TOKEN`, `{token}`, `<token>`, `%s`, `***`. */
const PLACEHOLDER = /^(?:[$%]?[{(<[].*|\$(?:[A-Z_][A-Z0-9_]*|[a-z_]+)|%[A-Za-z_]+%?|[*.xX•…_-]+)$/s;
/** So does what comes after a scheme, as in `Bearer ${token}`. */
const SCHEME_OF_REFERENCE = /^[A-Za-z]+ +(?:[$%]?[{(<[]|%s|…|\.\.\.)/;
/** A call, an element of a list, or a member of something: code. */
const CODE =
  /^(?:[A-Za-z_$][\w$.#]*(?:\(|\[|::|->).*|[A-Za-z_$][\w$]{0,30}(?:\??\.#?[A-Za-z_$][\w$]{0,30})+|@.*)$/s;

const WORDS = new Set(
  `none null nil undefined true false string str number int integer float bool boolean bytes any unknown object array
  list dict map never void optional required text char varchar uuid await new not the a an function lambda async typeof
  yes no missing invalid expired empty set unset unavailable denied incorrect wrong is self this default redacted
  hidden masked todo changeme`.split(/\s+/),
);

/** The name of a type: `AuthToken`, `Uint8Array`. Passwords are written like the second. */
const TYPE = /^(?=.*[a-z])(?:[A-Z][a-z]*\d{0,3})+$/;
/** A variable, perhaps numbered. */
const NUMBERED = /^[A-Za-z_]+\d{0,2}$/;
const IDENTIFIER = /^[A-Za-z_$][A-Za-z_$]*$/;
/** What a variable that holds a secret is called. */
const SAYS_SECRET = /pass|secret|token|key|auth|cred|cookie/i;
const PATH = /^(?:~?\/|\.{1,2}\/|[A-Za-z]:[\\/])/;

/** Says whether a value only stands for one that is elsewhere. */
export const isReference = (value: string): boolean =>
  PLACEHOLDER.test(value) ||
  SCHEME_OF_REFERENCE.test(value) ||
  /^(?:os\.|process\.env|env\.|secrets\.|vars\.)/.test(value);

const VERSION = /^[~^<>=v]{0,3} ?\d+\.\d+\.\d+(?:-[\w.]+)?$/;

/** Says whether what is called like a secret is the version of a package. */
export const isVersion = (value: string): boolean => VERSION.test(value);

/** Says whether what is called `pwd` is the folder that a shell is in. */
export const isFolder = (name: string, value: string): boolean =>
  /^(?:old)?pwd$/i.test(name) && PATH.test(value);

const hasDigit = (value: string): boolean => /\d/.test(value);

/** Says whether what stands after a secret name, without quotes, is a secret rather than a word or code. */
export function looksSecret(value: string, { name, sure, likely }: BarePlace): boolean {
  if (isReference(value) || CODE.test(value) || WORDS.has(value.toLowerCase())) return false;
  if (isFolder(name, value)) return false;
  if (sure) return value !== name;
  if (/^\d+$/.test(value)) return value.length >= 4;
  const isPassword = /pass|pwd/i.test(name);
  if (TYPE.test(value) && !(isPassword && hasDigit(value))) return false;
  if (!isPassword && NUMBERED.test(value) && SAYS_SECRET.test(value)) return false;
  const identifier = IDENTIFIER.test(value);
  if (likely && !(identifier && (!isPassword || SAYS_SECRET.test(value)))) return true;
  if (identifier) return value.length >= 32 && /[a-z]/.test(value) && /[A-Z]/.test(value);
  if (hasDigit(value)) return value.length >= (isPassword ? 4 : 8);
  return isPassword
    ? /[!@#$%^&*~+=]/.test(value)
    : value.length >= 20 && !/^[a-z]+(?:[-/.][a-z]+)+$/i.test(value);
}
