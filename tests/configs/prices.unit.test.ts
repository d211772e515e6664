import { expect, test } from "vitest";
import { loadConfig } from "../../configs/load-config.ts";

test("prices are per model, and model names keep their letters", () => {
  const prices = {
    "gpt_5.4-mini": { input: 0.25, cachedInput: 0.025, output: 2 },
    "org/My_Model": { input: 0, output: 0 },
  };
  expect(loadConfig({ prices }).prices).toEqual(prices);
  expect(loadConfig({}).prices).toBeUndefined();
});

test.each([
  [{ m: { input: 1 } }, /output/],
  [{ m: { input: -1, output: 1 } }, /input/],
  [{ "": { input: 1, output: 1 } }, /prices/],
])("the prices %j are refused", (prices, problem) => {
  expect(() => loadConfig({ prices } as never)).toThrow(problem);
});

test("a model's call has five minutes unless told", () => {
  expect(loadConfig({}).orchestration.modelTimeoutSeconds).toBe(300);
  expect(loadConfig({ orchestration: { modelTimeoutSeconds: 5 } }).orchestration.modelTimeoutSeconds).toBe(5);
});
