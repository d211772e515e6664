import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MAY_IMPORT } from "./check-imports.ts";

const root = join(import.meta.dirname, "..");
const MOST_LINES = 400;
const ANY = /(?::|\bas|<|,)\s*any\b(?!\w)/;

/**
 * Who may ask for the wall clock: for what is recorded, told to others, or compared with what others recorded. How long
 * something takes, and until when it may, is measured with `performance.now()`, which nobody can set.
 */
const TELLS_TIME = [
  "database/embedded/open-embedded.ts",
  "database/embedded/tidy-sockets.ts",
  "errors/retry-after.ts",
  "processors/impure-calls.ts",
  "recording/spool/spool-file.ts",
  "schemas/identity.ts",
  "sinks/alerts/courier.ts",
];

/** Files that are too long to do one thing, lines that opt out of types, and deadlines by the wall clock. */
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
      const timed = code.flatMap((line, index) =>
        line.includes("Date.now") && !TELLS_TIME.includes(file)
          ? [`${file}:${index + 1} asks for the wall clock`]
          : [],
      );
      return [...long, ...untyped, ...timed];
    });
}
