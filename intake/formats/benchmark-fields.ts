import { isObject } from "../../traces/clean-text.ts";
import { numberIn, type Reader } from "./fields.ts";
import type { RecordedUsage } from "./format.ts";

/** A whole number that counts something. */
export const countIn: Reader<number> = (value) => {
  const number = numberIn(value);
  return typeof value !== "boolean" && Number.isSafeInteger(number) && number! >= 0 ? number : undefined;
};

/** The number of a trial; the log counts them in 32 bits. */
export const trialIn: Reader<number> = (value) => {
  const count = countIn(value);
  return count !== undefined && count < 2 ** 31 ? count : undefined;
};

/** The first of these fields that counts something. */
const firstCount = (record: Record<string, unknown>, ...names: string[]): number | undefined =>
  names.map((name) => countIn(record[name])).find((count) => count !== undefined);

/** Tokens in the names of OpenAI, Anthropic and those who follow them; undefined where none is counted. */
export const usageIn: Reader<RecordedUsage> = (value) => {
  if (!isObject(value)) return undefined;
  const ofPrompt = value.prompt_tokens_details ?? value.input_tokens_details;
  const ofAnswer = value.completion_tokens_details ?? value.output_tokens_details;
  const usage = {
    prompt: firstCount(value, "prompt_tokens", "input_tokens"),
    completion: firstCount(value, "completion_tokens", "output_tokens"),
    total: firstCount(value, "total_tokens"),
    cached: isObject(ofPrompt) ? firstCount(ofPrompt, "cached_tokens") : undefined,
    reasoning: isObject(ofAnswer) ? firstCount(ofAnswer, "reasoning_tokens") : undefined,
  };
  return Object.values(usage).some((count) => count !== undefined) ? usage : undefined;
};

/** A record without the fields that say nothing. */
export const withoutNulls = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== undefined));

/** The text in a content of any shape; "" where it has none. */
export function wordsIn(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(wordsIn).join("\n");
  return isObject(content) && typeof content.text === "string" ? content.text : "";
}
