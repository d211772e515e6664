import { isFolder, isVersion } from "./bare-values.ts";
import { beginsNumber, endOfNested, endOfScalar, endOfString, saidBy } from "./json-tokens.ts";
import { REDACTED } from "./marker.ts";
import type { IsSecretName } from "./secret-names.ts";

const MARKER = JSON.stringify(REDACTED);

/** What masks JSON. */
export interface JsonRules {
  /** Masks what a string says. */
  maskString: (said: string) => string;
  /** Says whether a number is to be taken out. */
  hidesNumber: (written: string) => boolean;
  isSecret: IsSecretName | undefined;
  /** Keys in which nothing was found. Traces have the same ones over and over. */
  cleanKeys: Set<string>;
}

/** So many keys are remembered, and none that is longer. */
const MOST_REMEMBERED = 4096;
const MOST_KEY = 64;

/** A list or object that is being read. */
interface Frame {
  isObject: boolean;
  key: string;
  /** Its keys are names of properties in a JSON schema. */
  properties: boolean;
  /** It describes what is secret, and is none. */
  describes: boolean;
  /** Its `value` is secret: its `name` says so, or the argument before it does. */
  named: boolean;
  /** It tells how likely a token of a text is. */
  likelihood: boolean;
}

const NAME_KEYS: ReadonlySet<string> = new Set(["name", "key", "Name", "Key", "header"]);
const VALUE_KEYS: ReadonlySet<string> = new Set(["value", "Value", "val", "stringValue"]);
/** Where the description of a secret gives one. */
const EXAMPLE_KEYS: ReadonlySet<string> = new Set([
  "default",
  "const",
  "enum",
  "example",
  "examples",
  "value",
]);
const LIKELIHOOD = /\s*,\s*"(?:logprob|bytes|top_logprobs|prob|probability|token_id)"/y;
/** How the JSON schema of a property begins. */
const SCHEMA =
  /\{\s*"type"\s*:\s*(?:\[|"(?:string|str|number|integer|int|float|boolean|bool|object|array|list|dict|null|any)")/y;
const EMPTY = /[[{]\s*[\]}]/y;

const looksLike = (shape: RegExp, text: string, at: number): boolean => {
  shape.lastIndex = at;
  return shape.test(text);
};

/** Says whether a text under a secret name is one: a folder, a version and what was taken out are not. */
const isSecretText = (key: string, said: string): boolean =>
  said !== "" && said !== REDACTED && !isFolder(key, said) && !isVersion(said);

class JsonMask {
  readonly #text: string;
  readonly #rules: JsonRules;
  readonly #frames: Frame[] = [];
  #frame: Frame | undefined;
  #atKey = false;
  #masked = "";
  #kept = 0;

  constructor(text: string, rules: JsonRules) {
    this.#text = text;
    this.#rules = rules;
  }

  run(): string {
    const text = this.#text;
    for (let at = 0; at < text.length; ) {
      const code = text.charCodeAt(at);
      if (code === 0x22) at = this.#string(at);
      else if (code === 0x7b || code === 0x5b) at = this.#open(at, code === 0x7b);
      else if (beginsNumber(code)) at = this.#number(at);
      else {
        if (code === 0x7d || code === 0x5d) {
          this.#frames.pop();
          this.#frame = this.#frames.at(-1);
          this.#atKey = false;
        } else if (code === 0x2c) this.#atKey = this.#frame?.isObject === true;
        at += 1;
      }
    }
    return this.#kept === 0 ? text : this.#masked + text.slice(this.#kept);
  }

  #replace(start: number, end: number, by: string): void {
    this.#masked += this.#text.slice(this.#kept, start) + by;
    this.#kept = end;
  }

  /** Takes out a value that is secret by what it is called. */
  #hide(start: number, end: number): void {
    this.#replace(start, end, MARKER);
    // An argument names the one that follows it.
    if (this.#frame?.isObject === false) this.#frame.named = false;
  }

  #string(start: number): number {
    const end = endOfString(this.#text, start);
    const token = this.#text.slice(start, end);
    const said = saidBy(token);
    const frame = this.#frame;
    const isKey = this.#atKey && frame !== undefined;
    if (!isKey && this.#isHidden(end) && isSecretText(frame?.key ?? "", said)) {
      this.#hide(start, end);
      return end;
    }
    if (isKey) {
      frame.key = said;
      this.#atKey = false;
      if (said === "logprob") frame.likelihood = true;
    } else if (frame !== undefined) this.#note(frame, said);
    const { cleanKeys } = this.#rules;
    if (isKey && cleanKeys.has(said)) return end;
    const masked = this.#rules.maskString(said);
    if (masked !== said) this.#replace(start, end, JSON.stringify(masked));
    else if (isKey && said.length <= MOST_KEY) {
      if (cleanKeys.size >= MOST_REMEMBERED) cleanKeys.clear();
      cleanKeys.add(said);
    }
    return end;
  }

  /** What a string says of the value that comes after it. */
  #note(frame: Frame, said: string): void {
    const { isSecret } = this.#rules;
    if (isSecret === undefined) return;
    if (frame.isObject) frame.named = frame.named || (NAME_KEYS.has(frame.key) && isSecret(said));
    else frame.named = said.startsWith("-") && /^--?[A-Za-z]/.test(said) && isSecret(said);
  }

  #number(start: number): number {
    const end = endOfScalar(this.#text, start);
    if (this.#isHidden(end)) this.#hide(start, end);
    else if (this.#rules.hidesNumber(this.#text.slice(start, end))) this.#replace(start, end, MARKER);
    return end;
  }

  #open(start: number, isObject: boolean): number {
    const parent = this.#frame;
    const hidden = !looksLike(EMPTY, this.#text, start) && this.#isHidden(start);
    const describes =
      hidden && isObject && (parent?.properties === true || looksLike(SCHEMA, this.#text, start));
    if (hidden && !describes) {
      const end = endOfNested(this.#text, start);
      this.#hide(start, end);
      return end;
    }
    const properties = isObject && parent?.isObject === true && parent.key === "properties";
    this.#frame = { isObject, key: "", properties, describes, named: false, likelihood: false };
    this.#frames.push(this.#frame);
    this.#atKey = isObject;
    return start + 1;
  }

  /** Says whether the value that is read is secret by what it is called. */
  #isHidden(end: number): boolean {
    const frame = this.#frame;
    const { isSecret } = this.#rules;
    if (frame === undefined || isSecret === undefined) return false;
    if (!frame.isObject) return frame.named;
    const { key } = frame;
    if (frame.named && VALUE_KEYS.has(key)) return true;
    if (frame.describes && EXAMPLE_KEYS.has(key)) return true;
    if (!isSecret(key)) return false;
    return key !== "token" || !(frame.likelihood || looksLike(LIKELIHOOD, this.#text, end));
  }
}

/**
 * Masks JSON: strings by what they say rather than by how they are escaped, and what is secret by its key whole. All
 * else stays as it was written, so the result is JSON too.
 */
export const maskJson = (text: string, rules: JsonRules): string => new JsonMask(text, rules).run();
