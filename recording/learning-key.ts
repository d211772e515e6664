import { createHash } from "node:crypto";

/** What sessions have in common that learn from each other, unless they were given a learning key. */
export interface LearningKeyParts {
  agent: string;
  task: string;
  tags?: readonly string[] | undefined;
  /** "default" unless told. */
  tenant?: string | undefined;
}

/** What Python's `str.strip` takes for white space, which is not what `String.trim` does. */
const PYTHON_SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
/** A run of white space is read from its beginning alone, so that a long one in the middle costs no more than its length. */
const STRIP = new RegExp(`^[${PYTHON_SPACE}]+|(?<![${PYTHON_SPACE}])[${PYTHON_SPACE}]+$`, "g");
const TASK_PREFIX = 64;

const strip = (text: string): string => text.replace(STRIP, "");

/** Python orders and counts by code point, JavaScript by UTF-16 unit. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}

const ascii = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/**
 * The learning key of a session that was not given one: SHA-256 over agent, tags, tenant and the first 64
 * characters of the task, as 64 hex digits. Equal to the key that the Python SDK computes, so that sessions of
 * both share their history.
 *
 * @example
 * learningKeyOf({ agent: "reviewer", task: "Find the bug", tags: ["security"] });
 */
export function learningKeyOf({ agent, task, tags = [], tenant }: LearningKeyParts): string {
  const sorted = tags
    .map(strip)
    .filter((tag) => tag !== "")
    .sort(byCodePoint);
  const prefix = Array.from(strip(task)).slice(0, TASK_PREFIX).join("");
  const text =
    `{"agent": ${ascii(agent)}, "tags": [${sorted.map(ascii).join(", ")}], ` +
    `"task_prefix": ${ascii(prefix)}, "tenant": ${ascii(tenant || "default")}}`;
  return createHash("sha256").update(text, "utf8").digest("hex");
}
