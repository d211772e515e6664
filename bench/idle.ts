import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { median, rangeOf } from "./stats.ts";

/** How long each round does nothing. */
const SECONDS = 15;

/** What a host of the embedded log costs that has nothing to do. */
export const idleHost: Benchmark = {
  name: "idle",
  needs: {},
  async run({ rounds, folder }: BenchContext): Promise<Figure[]> {
    // The first round is not counted: what was opened just now has things to finish.
    const sharesOf = async (...flags: string[]): Promise<number[]> => {
      const child = join(import.meta.dirname, "idle-child.ts");
      const path = await mkdtemp(join(folder, "idle-"));
      const given = [child, path, String(rounds + 1), String(SECONDS), ...flags];
      const { stdout } = await promisify(execFile)(process.execPath, given);
      return (JSON.parse(stdout) as number[]).slice(1);
    };
    const [ours, ceiling] = await Promise.all([sharesOf("--host"), sharesOf()]);
    return [
      {
        benchmark: idleHost.name,
        what: "embedded, nothing to do",
        unit: "% of a core",
        ours: median(ours),
        range: rangeOf(ours),
        ceiling: median(ceiling),
        beside: "the same without consumers",
      },
    ];
  },
};
