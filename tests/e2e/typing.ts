import { execFile } from "node:child_process";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Installed } from "./installed.ts";

const root = join(import.meta.dirname, "../..");
const TSC = join(root, "node_modules/typescript/bin/tsc");

/** What the examples of the documentation leave to their readers. */
const READERS_OWN = `
declare const atlas: import("atlas-sdk").Atlas;
declare const train: (session: import("atlas-sdk/training-data").AtlasSessionTrace) => void;
declare const facts: readonly import("atlas-sdk/schemas").EventOf<"ReviewDecided">[];
declare const loopDetection: import("atlas-sdk/processors").Processor;
declare const rules: (hash: string) => import("atlas-sdk/schemas").Rules;
declare const search: (query: string, signal?: AbortSignal) => Promise<string[]>;
declare const answer: (hits: unknown, guidance: readonly string[]) => Promise<string>;
declare module "pino" {
  const pino: (options?: { level?: string }) => import("atlas-sdk").Logger;
  export default pino;
  export { pino };
}
`;

const ENTRIES = `
import { AtlasError, defineAgent, openAtlas, openaiAgent, type RunResult, simulatedModel } from "atlas-sdk";
import { type EventLog, openLog, openPostgres } from "atlas-sdk/log";
import { checkProcessor, defineEvent, defineProcessor, defineProjection, scanState } from "atlas-sdk/processors";
import { createEvent, decodeEvent, encodeEvent, newId, nowMicros, TOPICS } from "atlas-sdk/schemas";
import { buildDataset, DATASET_FORMATS, diffDatasets, type LineFormat, verifyDataset } from "atlas-sdk/datasets";
import { getTrainingSessions } from "atlas-sdk/training-data";

const own: LineFormat = { name: "own", extension: "txt", encode: ({ started }) => [started?.task ?? ""] };
const agent = defineAgent({ name: "typed", invoke: async ({ task }) => ({ content: task.toUpperCase() }) });
const model = simulatedModel();
await using atlas = await openAtlas({ log: { kind: "embedded", path: "typed" } });
const result: RunResult = await atlas.run({ task: "say it", agent, teacher: model, judge: model });
await result.durable;
await atlas.settled();
const sessions = await getTrainingSessions(atlas.db, { reviewStatusFilters: "all", simulated: "all" });
const log: EventLog = atlas.log;
const started = createEvent(
  "SessionStarted",
  { event_id: newId(), session_id: newId(), source: "s", sequence: 1, occurred_at: nowMicros(), time_assumed: false },
  { task: "t", learning_key: "k", agent: "a", agent_kind: "function", origin: "run" },
);
const { fingerprint, body } = encodeEvent(started);
const same = decodeEvent(fingerprint, body).meta.event_id === started.meta.event_id;
const { folder } = await buildDataset(log, { output: "typed-data", where: { reviewStatusFilters: "all", simulated: "all" }, format: own });
const { manifest } = await verifyDataset(folder);
const { unchanged } = await diffDatasets(folder, folder);
const dataset = manifest.records === 1 && unchanged === 1 && DATASET_FORMATS.length > 1;
const processing = [checkProcessor, defineEvent, defineProcessor, defineProjection, scanState];
const functions = [AtlasError, openaiAgent, openLog, openPostgres, ...processing];
console.log(JSON.stringify({
  status: result.status, sessions: sessions.length, topics: TOPICS.length, partitions: log.partitions, same, dataset,
  functions: functions.every((value) => typeof value === "function"),
}));
`;

/** The TypeScript examples of a page, by the line at which they stand; what imports nothing is a fragment. */
function examplesOf(page: string): { name: string; code: string }[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```ts\n(import .*?)^```$/gms)].map((match) => ({
    name: `${page.replaceAll(/[/.]/g, "-")}-${text.slice(0, match.index).split("\n").length}`,
    code: match[1]!,
  }));
}

/** Compiles the files of a folder of the user's project, with the strictest settings a user may have. */
async function compile(installed: Installed, folder: string, files: Record<string, string>): Promise<string> {
  const home = join(installed.folder, folder);
  mkdirSync(home, { recursive: true });
  for (const [name, code] of Object.entries(files)) writeFileSync(join(home, name), code);
  const compilerOptions = {
    ...{ target: "es2024", module: "nodenext", lib: ["es2024", "esnext.disposable"], strict: true },
    ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
    ...{ types: ["node"], typeRoots: [join(root, "node_modules/@types")], outDir: "built", rootDir: "." },
  };
  writeFileSync(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  try {
    await promisify(execFile)(process.execPath, [TSC, "-p", home], { cwd: home });
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

export function typing(installed: () => Installed): void {
  test("every entry point has types, also for a user who checks those of libraries, and runs", async () => {
    expect(await compile(installed(), "entries", { "entries.ts": ENTRIES })).toBe("");
    const { stdout } = await promisify(execFile)(process.execPath, ["built/entries.js"], {
      cwd: join(installed().folder, "entries"),
    });
    expect(JSON.parse(stdout)).toEqual({
      ...{
        status: "succeeded",
        sessions: 1,
        topics: 10,
        partitions: 8,
        same: true,
        dataset: true,
        functions: true,
      },
    });
  });

  test("nothing but the entry points can be imported", async () => {
    const inner = "await import('atlas-sdk/dist/app/open-atlas.js')";
    const running = promisify(execFile)(process.execPath, ["--input-type=module", "-e", inner], {
      cwd: installed().folder,
    });
    await expect(running).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  test("the examples of the documentation compile", async () => {
    const pages = ["README.md", ...globSync("docs/*.md", { cwd: root })];
    const examples = pages.flatMap(examplesOf);
    expect(examples.length).toBeGreaterThan(1);
    const files = Object.fromEntries(
      examples.map(({ name, code }) => [`${name}.ts`, `${code}\nexport {};\n`]),
    );
    expect(await compile(installed(), "examples", { ...files, "readers-own.d.ts": READERS_OWN })).toBe("");
  });
}
