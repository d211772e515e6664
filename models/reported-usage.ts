import type { Usage } from "./model-client.ts";

/** A count that a server told: a whole number from 0, also written as a text; undefined for anything else. */
export function countOf(told: unknown): number | undefined {
  const count = typeof told === "string" && told.trim() !== "" ? Number(told) : told;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

interface ToldUsage {
  prompt: unknown;
  completion: unknown;
  total?: unknown;
  reasoning?: unknown;
  cached?: unknown;
  /** The answer holds nothing, so that 0 tokens of it may be true. */
  silent?: boolean;
}

/** Servers that do not count say 0; what was asked has tokens, and so has what was answered. */
const countFrom1 = (told: unknown): number | undefined => countOf(told) || undefined;

/** What is left of a whole, where a server told the whole and one part. */
const rest = (total: number | undefined, part: number | undefined): number | undefined =>
  total === undefined || part === undefined || total <= part ? undefined : total - part;

/**
 * The tokens of a call as a server told them soundly; undefined where it did not tell both of what was asked and what
 * was answered.
 *
 * @example
 * reportedUsage({ prompt: 5, completion: "2" }); // { promptTokens: 5, completionTokens: 2, totalTokens: 7 }
 */
export function reportedUsage(told: ToldUsage): Usage | undefined {
  const total = countFrom1(told.total);
  const asked = countFrom1(told.prompt);
  const answered = told.silent ? countOf(told.completion) : countFrom1(told.completion);
  const prompt = asked ?? rest(total, answered);
  const completion = answered ?? rest(total, asked);
  if (prompt === undefined || completion === undefined) return undefined;
  const reasoningTokens = countOf(told.reasoning);
  const cachedTokens = countOf(told.cached);
  return {
    promptTokens: prompt,
    completionTokens: completion,
    totalTokens: total ?? prompt + completion,
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
  };
}
