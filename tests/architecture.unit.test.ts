import { expect, test } from "vitest";
import { fileProblems } from "../scripts/check-files.ts";
import { importProblems } from "../scripts/check-imports.ts";

test("folders import only what the architecture lets them, and there are no cycles", () => {
  expect(importProblems()).toEqual([]);
});

test("no file says any, or has grown past 400 lines", () => {
  expect(fileProblems()).toEqual([]);
});
