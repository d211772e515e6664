import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const PAGES = ["README.md", ...globSync("docs/**/*.md", { cwd: ROOT })];
/** Node 22 runs these pages' code as it stands, and does not know such declarations. */
const USING = /^\s*(?:await )?using \w+ =/m;

const blocksOf = (page: string): string[] =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/```(?:ts|js|mjs)\n(.*?)```/gs)].map(
    ([, code]) => code!,
  );

test.each(PAGES)("the code of %s runs on the oldest Node as well", (page) => {
  expect(blocksOf(page).filter((code) => USING.test(code))).toEqual([]);
});

test("the pages have code, and declarations that only a newer Node knows are recognised", () => {
  expect(PAGES.flatMap(blocksOf).length).toBeGreaterThan(10);
  expect("await using atlas = await openAtlas();").toMatch(USING);
});
