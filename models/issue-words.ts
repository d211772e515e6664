import type { z } from "zod";

const NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

const named = (type: string): string => NAMES[type] ?? type;

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : named(typeof value);

/** What zod itself says begins so; all else are words of ours. */
const ZODS_OWN = /^(?:Invalid|Too |Unrecognized)/;

/**
 * What is wrong with a value, to follow its name. It is not quoted. The issue has to hold its input: check with `reportInput`.
 *
 * @example
 * const { error } = schema.safeParse(value, { reportInput: true });
 * error?.issues.map(issueWords); // ["is missing"]
 */
export function issueWords(issue: z.core.$ZodIssue): string {
  if (!ZODS_OWN.test(issue.message)) return issue.message;
  const { input } = issue;
  if (input === undefined && issue.code.startsWith("invalid_")) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return `is ${kindOf(input)}, not ${named(issue.expected)}`;
    case "invalid_value":
      return `is not ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return `has the unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}`;
    case "too_small":
      return `is ${issue.origin === "number" ? "below" : "shorter than"} ${issue.minimum}`;
    case "too_big":
      return `is ${issue.origin === "number" ? "above" : "longer than"} ${issue.maximum}`;
    default:
      return `is ${kindOf(input)} of another form than is wanted`;
  }
}
