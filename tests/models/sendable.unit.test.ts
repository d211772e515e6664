import { expect, test } from "vitest";
import { sendable } from "../../models/sendable.ts";

const HALF = "a\ud83d";
const MENDED = "a\ufffd";

test.each<[string, unknown, unknown]>([
  ["a text", HALF, MENDED],
  ["a text in a list", [1, [HALF]], [1, [MENDED]]],
  ["a field and its name", { [HALF]: { [HALF]: HALF } }, { [MENDED]: { [MENDED]: MENDED } }],
  [
    "a name that objects inherit",
    JSON.parse(`{"__proto__":"a\\ud83d"}`),
    JSON.parse(`{"__proto__":"a\\ufffd"}`),
  ],
])("%s is mended", (_, value, expected) => {
  expect(sendable(value)).toEqual(expected);
});

test("what is whole stays what it is", () => {
  class Own {
    text = HALF;
  }
  const circle: Record<string, unknown> = { text: "whole \ud83d\ude00" };
  circle["self"] = circle;
  for (const value of [circle, { list: [1, null, "x"] }, new Own(), new Map([[HALF, 1]]), null, undefined, 5])
    expect(sendable(value)).toBe(value);
});

test("a circle and a depth that no text has are no trouble", () => {
  const circle: Record<string, unknown> = { text: HALF };
  circle["self"] = circle;
  expect(sendable(circle)["text"]).toBe(MENDED);
  let deep: unknown = HALF;
  for (let n = 0; n < 100_000; n += 1) deep = [deep];
  expect(sendable(deep)).toBe(deep);
});
