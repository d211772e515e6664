import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";
import type { Reader } from "./fields.ts";
import type { RecordedUsage } from "./format.ts";

/** Where providers and their clients keep each count: a name, or a name inside another. */
const PROMPT = ["prompt_tokens", "promptTokens", "input_tokens", "inputTokens", "promptTokenCount"];
const COMPLETION = [
  "completion_tokens",
  "completionTokens",
  "output_tokens",
  "outputTokens",
  "candidatesTokenCount",
];
const TOTAL = ["total_tokens", "totalTokens", "totalTokenCount"];
const REASONING = [
  "completion_tokens_details.reasoning_tokens",
  "output_tokens_details.reasoning_tokens",
  "output_token_details.reasoning",
  "reasoning_tokens",
  "reasoningTokens",
  "thoughtsTokenCount",
];
const CACHED = [
  "prompt_tokens_details.cached_tokens",
  "input_tokens_details.cached_tokens",
  "input_token_details.cache_read",
  "cache_read_input_tokens",
  "cached_tokens",
  "cachedInputTokens",
  "cachedContentTokenCount",
];

function countIn(value: Record<string, unknown>, names: readonly string[]): number | undefined {
  for (const name of names) {
    const [first = "", second] = name.split(".");
    const outer = value[first];
    const count = numberOf(second === undefined ? outer : isObject(outer) ? outer[second] : undefined);
    if (count !== undefined && Number.isFinite(count) && count >= 0) return count;
  }
  return undefined;
}

/** The tokens that a provider counted: OpenAI's names, Anthropic's, Gemini's, LangChain's and the AI SDK's. */
export const usageIn: Reader<RecordedUsage> = (value) => {
  if (!isObject(value)) return undefined;
  // Anthropic counts what it had cached apart; Gemini counts thoughts apart.
  const apart =
    (countIn(value, ["cache_read_input_tokens"]) ?? 0) +
    (countIn(value, ["cache_creation_input_tokens"]) ?? 0);
  const fresh = countIn(value, PROMPT);
  const said = countIn(value, COMPLETION);
  const thoughts = countIn(value, ["thoughtsTokenCount"]);
  const usage: RecordedUsage = {
    prompt: fresh === undefined ? undefined : value.prompt_tokens === undefined ? fresh + apart : fresh,
    completion: said === undefined && thoughts === undefined ? undefined : (said ?? 0) + (thoughts ?? 0),
    total: countIn(value, TOTAL),
    reasoning: countIn(value, REASONING),
    cached: countIn(value, CACHED),
  };
  const isKnown = [usage.prompt, usage.completion, usage.total].some((count) => count !== undefined);
  return isKnown ? usage : undefined;
};
