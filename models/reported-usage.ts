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
}

/**
 * The tokens of a call as far as a server told them soundly; undefined where it told none.
 *
 * @example
 * reportedUsage({ prompt: 5, completion: "2" }); // { promptTokens: 5, completionTokens: 2, totalTokens: 7 }
 */
export function reportedUsage(told: ToldUsage): Usage | undefined {
  const [prompt, completion, total] = [told.prompt, told.completion, told.total].map(countOf);
  if (prompt === undefined && completion === undefined && total === undefined) return undefined;
  const reasoningTokens = countOf(told.reasoning);
  const cachedTokens = countOf(told.cached);
  return {
    promptTokens: prompt ?? 0,
    completionTokens: completion ?? 0,
    totalTokens: total ?? (prompt ?? 0) + (completion ?? 0),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
  };
}
