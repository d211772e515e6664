import type { TokenUsage } from "../../schemas/generated/events.ts";
import type { RecordedUsage } from "../formats/format.ts";

const sum = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
};

/** What calls took together; null where nobody counted. A total without its parts is the prompt's. */
export function usageOf(given: readonly (RecordedUsage | undefined)[]): TokenUsage | null {
  const known = given.filter((usage) => usage !== undefined);
  const prompt = sum(known.map((usage) => usage.prompt));
  const completion = sum(known.map((usage) => usage.completion));
  const total = sum(known.map((usage) => usage.total ?? sum([usage.prompt, usage.completion])));
  if (total === undefined) return null;
  return {
    prompt_tokens: prompt ?? total - (completion ?? 0),
    completion_tokens: completion ?? 0,
    total_tokens: total,
    reasoning_tokens: sum(known.map((usage) => usage.reasoning)) ?? null,
    cached_tokens: sum(known.map((usage) => usage.cached)) ?? null,
    calls: known.length,
  };
}
