import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..");

const BASE = ["errors", "guards", "schemas"];
/** What a part of the pipeline may use. */
const PIPELINE = [...BASE, "files", "statistics", "traces", "database", "log", "configs"];
const RUNTIME = [...PIPELINE, "logging", "models", "recording", "judges"];
const PARTS = [
  ...RUNTIME,
  "intake",
  "producers",
  "processors",
  "derivation",
  "reactors",
  "projections",
  "sinks",
];

/** Which folder may import which: the architecture as a table. */
export const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  guards: ["errors"],
  files: ["errors"],
  statistics: ["errors"],
  logging: ["errors"],
  schemas: ["errors", "guards"],
  traces: BASE,
  database: ["errors", "files"],
  log: [...BASE, "database"],
  configs: BASE,
  models: [...BASE, "configs"],
  recording: [...BASE, "files", "logging", "traces", "database", "log", "models"],
  judges: [...BASE, "traces", "models", "recording"],
  intake: [...BASE, "traces", "database", "log", "recording"],
  producers: [...BASE, "logging", "traces", "configs", "models", "recording", "judges"],
  processors: [...BASE, "statistics", "traces"],
  derivation: [...PIPELINE, "processors"],
  reactors: RUNTIME,
  projections: [...BASE, "traces", "database", "log"],
  sinks: [...PIPELINE, "logging", "processors", "projections"],
  app: PARTS,
  worker: [...PARTS, "app"],
  cli: [...PARTS, "app", "worker"],
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
