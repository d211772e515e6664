import { expect } from "vitest";

/** One line, with a code, and nothing of where in our code it happened. */
export function expectOneLine(text: string, code: string): void {
  expect(text.trimEnd().split("\n")).toHaveLength(1);
  expect(text).toMatch(new RegExp(`^${code}: `));
  expect(text).not.toMatch(/\bat .*\.js:\d+/);
}
