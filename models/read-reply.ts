import type { z } from "zod";
import { issueWords } from "./issue-words.ts";

/** A reply that was read, or why it could not be. */
export type ReadReply<T> = { value: T; problem?: undefined } | { value?: undefined; problem: string };

/** White space around the object is JSON's: skipped here, it would be read again for each character of it. */
const FENCED = /```(?:json)?([\s\S]*?)```/;

/** Models like to wrap the object that they were asked for. */
function candidatesOf(text: string): string[] {
  const fenced = FENCED.exec(text)?.[1]?.trim();
  const from = text.indexOf("{");
  const until = text.lastIndexOf("}");
  const inner = from >= 0 && until > from ? text.slice(from, until + 1) : undefined;
  return [text, fenced, inner].filter((candidate) => candidate !== undefined);
}

function parse(text: string): unknown {
  for (const candidate of candidatesOf(text.trim())) {
    try {
      return JSON.parse(candidate);
    } catch {}
  }
  return undefined;
}

/**
 * Reads the JSON object that a model was asked for, also out of a code fence or between other words.
 *
 * @example
 * const { value, problem } = readReply(Verdict, reply.content);
 */
export function readReply<T>(schema: z.ZodType<T>, text: string): ReadReply<T> {
  if (text.trim() === "") return { problem: "it was empty" };
  const parsed = parse(text);
  if (parsed === undefined) return { problem: "it was not JSON" };
  const result = schema.safeParse(parsed, { reportInput: true });
  if (result.success) return { value: result.data };
  const problems = result.error.issues.map((issue) => {
    const { path, code } = issue;
    const words = issueWords(issue);
    if (path.length > 0) return `"${path.join(".")}": ${words}`;
    return code === "custom" ? words : `it ${words}`;
  });
  return { problem: problems.slice(0, 3).join("; ") };
}
