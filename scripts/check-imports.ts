import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..");

/** Which folder may import which: the architecture as a table. */
export const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  schemas: ["errors"],
  traces: ["errors", "schemas"],
  log: ["errors", "schemas"],
  configs: ["errors", "schemas"],
  producers: ["errors", "schemas", "log", "configs", "traces"],
  processors: ["errors", "schemas", "traces"],
  reactors: ["errors", "schemas", "log", "configs", "traces", "producers"],
  projections: ["errors", "schemas", "log", "traces"],
  sinks: ["errors", "schemas", "log", "traces", "processors", "projections"],
  app: [
    "errors",
    "schemas",
    "log",
    "configs",
    "traces",
    "producers",
    "processors",
    "reactors",
    "projections",
    "sinks",
  ],
  cli: [
    "errors",
    "schemas",
    "log",
    "configs",
    "traces",
    "producers",
    "processors",
    "reactors",
    "projections",
    "sinks",
    "app",
  ],
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^;"']*?\sfrom\s)?\s*"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"\s*\)/g;

/** One import between two files of this repository. */
interface Import {
  from: string;
  to: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(IMPORT)].map((match) => ({
    from: file,
    to: relative(root, join(root, dirname(file), (match[1] ?? match[2])!)),
  }));
}

function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push([...path.slice(path.indexOf(file)), file].join(" → "));
      return;
    }
    state.set(file, "open");
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, "done");
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

/** Every import that breaks the table, and every cycle, in words. */
export function importProblems(): string[] {
  const folders = Object.keys(MAY_IMPORT);
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));
  const imports = files.flatMap(importsOf);
  const forbidden = imports.filter(({ from, to }) => {
    const folder = from.split("/")[0]!;
    const target = to.split("/")[0]!;
    return target !== folder && !MAY_IMPORT[folder]!.includes(target);
  });
  return [
    ...forbidden.map(({ from, to }) => `${from} may not import ${to}`),
    ...cycles(imports).map((cycle) => `cycle: ${cycle}`),
  ];
}

if (import.meta.main) {
  const problems = importProblems();
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
