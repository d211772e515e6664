import type { z } from "zod";
import { isForeignKind, UNKNOWN_KIND } from "./agent-schema.ts";
import { adviceFor } from "./known-keys.ts";

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Keys that lead to it. */
  path: readonly PropertyKey[];
  /** Set where it is the key itself that is wrong. */
  key?: string;
  /** What is wrong with it, to follow its name. */
  words: string;
}

/** How a path is written: `log.brokers[1]`. */
export function nameOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (at, key) =>
      typeof key === "number" ? `${at}[${key}]` : at === "" ? String(key) : `${at}.${String(key)}`,
    "",
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

const kindOf = (value: unknown): string =>
  value === null
    ? "nothing"
    : Array.isArray(value)
      ? "a list"
      : typeof value === "object"
        ? "a block"
        : `a ${typeof value}`;

const EXPECTED: Record<string, string> = {
  object: "a block of keys",
  record: "a block of keys",
  array: "a list",
  int: "a whole number",
};

/** Values are never repeated: they may hold passwords. */
function wordsOf(issue: z.core.$ZodIssue, value: unknown): string {
  const found = valueAt(value, issue.path);
  if (found === undefined && ["invalid_type", "invalid_union", "invalid_value"].includes(issue.code))
    return "is missing";
  if (issue.message.startsWith("must")) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return `must be ${EXPECTED[issue.expected] ?? `a ${issue.expected}`}, not ${kindOf(found)}`;
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.join(", ")}`;
    case "too_small":
      return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** What is wrong with an agent, of the two ways in which one can be described. */
function waysOf(issue: z.core.$ZodIssue, value: unknown): readonly z.core.$ZodIssue[] | undefined {
  if (issue.code !== "invalid_union" || nameOf(issue.path) !== "agent") return undefined;
  const ways = issue.errors[isForeignKind(valueAt(value, ["agent", "type"])) ? 1 : 0];
  return ways?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function problemOf(issue: z.core.$ZodIssue, value: unknown): ConfigProblem[] {
  const ways = waysOf(issue, value);
  if (ways !== undefined) return ways.flatMap((way) => problemOf(way, value));
  if (issue.code !== "unrecognized_keys") return [{ path: issue.path, words: wordsOf(issue, value) }];
  return issue.keys.map((key) => ({
    path: issue.path,
    key,
    words: `is not a key of ${nameOf(issue.path) || "the configuration"}: ${adviceFor(key, issue.path, value)}`,
  }));
}

/** Everything that is wrong with a configuration, in words. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], value: unknown): ConfigProblem[] {
  // Of an agent of a kind that nobody registers, nothing else can be said.
  const lost =
    isForeignKind(valueAt(value, ["agent", "type"])) && valueAt(value, ["plugins", 0]) === undefined;
  const reported = lost ? issues.filter(({ path }) => path[0] !== "agent") : issues;
  return [
    ...(lost ? [{ path: ["agent", "type"], words: UNKNOWN_KIND }] : []),
    ...reported.flatMap((issue) => problemOf(issue, value)),
  ];
}
