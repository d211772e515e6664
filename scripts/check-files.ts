import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MAY_IMPORT } from "./check-imports.ts";

const root = join(import.meta.dirname, "..");
const MOST_LINES = 400;
const ANY = /(?::|\bas|<|,)\s*any\b(?!\w)/;

/** Files that are too long to do one thing, and lines that opt out of types. */
export function fileProblems(): string[] {
  const files = Object.keys(MAY_IMPORT).flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));
  return files
    .filter((file) => !file.includes("/generated/"))
    .flatMap((file) => {
      const lines = readFileSync(join(root, file), "utf8").split("\n");
      const long = lines.length > MOST_LINES ? [`${file} has ${lines.length} lines`] : [];
      const code = lines.map((line) =>
        line.replace(/^\s*(\*|\/\*|\/\/).*$/, "").replace(/"[^"]*"|`[^`]*`/g, ""),
      );
      const untyped = code.flatMap((line, index) =>
        ANY.test(line) ? [`${file}:${index + 1} says any`] : [],
      );
      return [...long, ...untyped];
    });
}
