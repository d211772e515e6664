import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MAY_IMPORT } from "./check-imports.ts";

const root = join(import.meta.dirname, "..");
const FOLDERS = [...Object.keys(MAY_IMPORT), "bench", "examples", "scripts", "tests"];

/** Calls that take any number of arguments, and are given lists. */
const VARIADIC =
  /\b(?:Math\.(?:max|min|hypot)|push|unshift|splice|concat|from(?:Char|Code)(?:Code|Point))\(/g;
const OPENING = "([{";
const CLOSING = ")]}";

/** Whether one of a call's own arguments is spread; `from` is behind its bracket. */
function spreads(text: string, from: number): boolean {
  let depth = 0;
  for (let at = from; depth >= 0 && at < text.length; at += 1) {
    if (depth === 0 && text.startsWith("...", at)) return true;
    if (OPENING.includes(text[at]!)) depth += 1;
    else if (CLOSING.includes(text[at]!)) depth -= 1;
  }
  return false;
}

/**
 * Calls that spread a list into their arguments. Each argument takes room on the stack, which ends at some 125,000 of
 * them: a loop or `reduce` has no end.
 */
export function spreadProblems(): string[] {
  return globSync(`{${FOLDERS}}/**/*.ts`, { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return [...text.matchAll(VARIADIC)]
      .filter((call) => spreads(text, call.index + call[0].length))
      .map(
        (call) => `${file}:${text.slice(0, call.index).split("\n").length} spreads a list into ${call[0]}…)`,
      );
  });
}
