import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { useTemporaryFolder } from "./tests/services/temporary-folder.ts";

/**
 * Most tests end before it pays that V8 compiles the embedded database a second time, for speed, which takes longer than
 * they do and three times the memory.
 */
const execArgv = ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"];

const globalSetup = "tests/services/global-setup.ts";

// Children compile what they load once for all of them.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/atlas-sdk/compiled");

// Files of a worker share what they load: to load it anew for each would take most of the time.
const sharing = { isolate: false, setupFiles: ["tests/setup.ts"] };

// Limits end what hangs, and nothing else: no machine is so loaded that a test which works takes this long.
const patience = { testTimeout: 600_000, hookTimeout: 600_000, teardownTimeout: 60_000 };

useTemporaryFolder();

/** What takes longest begins first, so that nothing is left for one worker at the end. */
const LONGEST = [
  "tests/e2e/",
  "tests/soak/",
  "tests/derivation/processor-upgrade",
  "tests/hostile/interrupted-outage",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((part) => moduleId.includes(part));
      return found < 0 ? LONGEST.length : found;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

// Examples name the package as its users do, and are tested as they stand.
const resolve = { alias: { "atlas-sdk/processors": join(import.meta.dirname, "app/processors.ts") } };

// What a test costs is in its name, and the cheap ones go first: a group starts when the one before it has ended.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve,
        test: {
          name: "unit",
          ...sharing,
          include: ["tests/**/*.unit.test.ts"],
          globalSetup,
          ...patience,
          maxWorkers: "100%",
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        test: {
          name: "int",
          ...sharing,
          execArgv,
          include: ["tests/**/*.int.test.ts"],
          globalSetup,
          ...patience,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "e2e",
          execArgv,
          include: ["tests/**/*.e2e.test.ts"],
          globalSetup,
          ...patience,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
