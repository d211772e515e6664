import { expect, test } from "vitest";
import { costOf, priceOf } from "../../models/prices.ts";
import { TokenCount } from "../../recording/tokens.ts";

const usage = { promptTokens: 1000, completionTokens: 200, totalTokens: 1200 };

test("the longest beginning of a model's name has its price; the version that answered goes first", () => {
  const prices = {
    "gpt-5": { input: 1, output: 2 },
    "gpt-5-mini": { input: 3, output: 4 },
    "served/": { input: 5, output: 6 },
  };
  expect(priceOf(prices, "gpt-5-mini-2026-01-01")?.input).toBe(3);
  expect(priceOf(prices, "gpt-5")?.input).toBe(1);
  expect(priceOf(prices, "gpt-4")).toBeUndefined();
  expect(priceOf(prices, "served/model", "gpt-5")?.input).toBe(5);
  expect(priceOf(prices, "/weights/7b", "gpt-5-mini")?.input).toBe(3);
  expect(priceOf(undefined, "gpt-5")).toBeUndefined();
});

test("cached input has its own price, and the price of input where none is told", () => {
  const cached = { ...usage, cachedTokens: 400 };
  expect(costOf({ input: 2, output: 10 }, usage)).toBe(0.004);
  expect(costOf({ input: 2, output: 10 }, cached)).toBe(0.004);
  expect(costOf({ input: 2, cachedInput: 0.5, output: 10 }, cached)).toBe(0.0034);
  expect(costOf({ input: 0, output: 0 }, usage)).toBe(0);
});

test("a sum has a cost only while every call's is known", () => {
  const count = new TokenCount();
  expect(count.read().cost).toBeUndefined();
  count.add("student", { usage, cost: 0.1, failed: false, tries: 1 });
  count.add("teacher", { usage, cost: 0.2, failed: false, tries: 3 });
  expect(count.read()).toEqual({
    prompt: 2000,
    completion: 400,
    total: 2400,
    calls: 2,
    failed: 0,
    retries: 2,
    cost: 0.3,
    byRole: {
      student: { prompt: 1000, completion: 200, total: 1200, calls: 1, failed: 0, retries: 0, cost: 0.1 },
      teacher: { prompt: 1000, completion: 200, total: 1200, calls: 1, failed: 0, retries: 2, cost: 0.2 },
    },
  });
  count.add("judge", { failed: true, tries: 1 });
  expect(count.read()).toMatchObject({ calls: 3, failed: 1 });
  expect(count.read()).not.toHaveProperty("cost");
  expect(count.read().byRole.student?.cost).toBe(0.1);
  expect(count.read().byRole.judge).not.toHaveProperty("cost");
});

test("what a part counts is in the whole", () => {
  const whole = new TokenCount();
  const part = new TokenCount(whole);
  part.add("student", { usage: { ...usage, cachedTokens: 5, reasoningTokens: 7 }, failed: false, tries: 0 });
  expect(whole.read()).toMatchObject({ total: 1200, cached: 5, reasoning: 7 });
});
