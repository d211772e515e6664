import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** Imports that are carried out when a module is loaded: neither those of types nor those within functions. */
const STATIC = /(?:^|\n)\s*(?:import|export)\s(?!type\b)(?:[^;"']*?\sfrom\s)?\s*"([^"]+)"/g;

/** What is loaded along with a file, directly or not. */
export interface Loaded {
  /** Files of this repository, as paths from its root. */
  files: Set<string>;
  /** Names of packages, without Node's own modules. */
  packages: Set<string>;
}

/** What loading a file loads, found in its text and that of what it imports. */
export function loadedWith(file: string): Loaded {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    for (const [, name] of readFileSync(join(ROOT, path), "utf8").matchAll(STATIC)) {
      // This package's own name stands in programs that it writes.
      if (name === "atlas-sdk") continue;
      if (name!.startsWith(".")) visit(relative(ROOT, resolve(ROOT, dirname(path), name!)));
      else if (!name!.startsWith("node:"))
        packages.add(
          name!
            .split("/")
            .slice(0, name!.startsWith("@") ? 2 : 1)
            .join("/"),
        );
    }
  };
  visit(file);
  return { files, packages };
}
