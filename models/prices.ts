import type { Usage } from "./model-client.ts";

/** What a model costs, in US dollars per million tokens. */
export interface Price {
  input: number;
  /** Of input that the provider had cached; as any other input unless told. */
  cachedInput?: number | undefined;
  /** Of output, reasoning included. */
  output: number;
}

/** Prices by the beginning of a model's name. */
export type Prices = Readonly<Record<string, Price>>;

/** Keeps sums of fractions from showing digits that are none. */
export const dollars = (amount: number): number => Number(amount.toPrecision(12));

/**
 * The price under the longest name that a model's name begins with.
 *
 * @param models the version that answered, then the model that was asked: the first that has a price counts
 * @example
 * priceOf({ "gpt-5": { input: 1, output: 8 } }, "gpt-5-2025-08-07"); // { input: 1, output: 8 }
 */
export function priceOf(prices: Prices | undefined, ...models: readonly string[]): Price | undefined {
  if (prices === undefined) return undefined;
  for (const model of models) {
    const names = Object.keys(prices).filter((name) => model.startsWith(name));
    const longest = names.sort((a, b) => b.length - a.length)[0];
    if (longest !== undefined) return prices[longest];
  }
  return undefined;
}

/**
 * What tokens cost, in US dollars.
 *
 * @example
 * costOf({ input: 1, output: 8 }, { promptTokens: 1000, completionTokens: 100, totalTokens: 1100 }); // 0.0018
 */
export function costOf({ input, cachedInput = input, output }: Price, usage: Usage): number {
  const cached = Math.min(usage.cachedTokens ?? 0, usage.promptTokens);
  const paid = (usage.promptTokens - cached) * input + cached * cachedInput + usage.completionTokens * output;
  return dollars(paid / 1_000_000);
}
