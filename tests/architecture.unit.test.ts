import { expect, test } from "vitest";
import { fileProblems } from "../scripts/check-files.ts";
import { importProblems } from "../scripts/check-imports.ts";
import { spreadProblems } from "../scripts/check-spreads.ts";

test("folders import only what the architecture lets them, and there are no cycles", () => {
  expect(importProblems()).toEqual([]);
});

test("no file says any, has grown past 400 lines, or measures time by a clock that can be set", () => {
  expect(fileProblems()).toEqual([]);
});

test("no list is spread into the arguments of a call, which overflows the stack when it is long", () => {
  expect(spreadProblems()).toEqual([]);
});
