import { present } from "../formats/fields.ts";
import type { RecordedUsage } from "../formats/format.ts";

type Numbers = (...names: string[]) => number | undefined;

/** Names of counts of tokens, in all conventions. */
const COUNTS: Record<keyof RecordedUsage, string[]> = {
  prompt: [
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "llm.usage.prompt_tokens",
  ],
  completion: [
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "llm.usage.completion_tokens",
  ],
  total: [
    "gen_ai.usage.total_tokens",
    "llm.token_count.total",
    "ai.usage.totalTokens",
    "llm.usage.total_tokens",
  ],
  reasoning: [
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",
    "gen_ai.usage.details.thoughts_tokens",
    "llm.token_count.completion_details.reasoning",
    "ai.usage.reasoningTokens",
  ],
  cached: [
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
    "ai.usage.cachedInputTokens",
  ],
};

/** The tokens of a call of a model; undefined where nobody counted. */
export function usageIn(numbers: Numbers): RecordedUsage | undefined {
  const counts = Object.entries(COUNTS).map(([name, names]) => [name, numbers(...names)]);
  const usage = present(Object.fromEntries(counts) as Record<string, unknown>) as RecordedUsage | undefined;
  const isCounted =
    usage?.prompt !== undefined || usage?.completion !== undefined || usage?.total !== undefined;
  return isCounted ? usage : undefined;
}

/** What a call of a model cost in US dollars. */
export const costIn = (numbers: Numbers): number | undefined =>
  numbers("llm.cost.total", "gen_ai.usage.cost", "operation.cost", "gen_ai.usage.total_cost");
