// Cuts the power below an embedded log at every moment that a disk can tell apart, and looks what is left.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  cutAt,
  firstHistory,
  type History,
  laterHistory,
  problemsAfter,
} from "../database/power-cut/power-cuts.ts";
import { seeded } from "./random.ts";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    later: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
function whole(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  process.stderr.write("Usage: node tests/soak/power-cuts.ts [--every N] [--later N] [--seed S]\n");
  process.exit(2);
}
const [every, later, seed] = [whole(values.every), whole(values.later), whole(values.seed)];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const random = seeded(seed);
const home = mkdtempSync(join(tmpdir(), "atlas-power-cuts-"));
/** How many are cut between two lines of output. */
const LOT = 100;
let cuts = 0;
let problems = 0;

async function cutAll(name: string, history: History): Promise<void> {
  const moments = Array.from({ length: Math.floor(history.ops.length / every) + 1 }, (_, n) => n * every);
  say(`${name}: ${moments.length} power cuts among ${history.ops.length} operations`);
  const begun = performance.now();
  let bad = 0;
  for (let from = 0; from < moments.length; from += LOT) {
    const lot = moments.slice(from, from + LOT).map((after, index) => cutAt(after, from + index + seed));
    const found = await problemsAfter(history, lot);
    cuts += lot.length;
    bad += found.length;
    for (const problem of found) say(`  ${problem}`);
    say(`  ${from + lot.length} of ${moments.length}`);
  }
  problems += bad;
  say(`${name}: ${bad} problems, ${Math.round((performance.now() - begun) / 1000)} s`);
}

try {
  say(`seed ${seed}`);
  const first = await firstHistory(home);
  await cutAll("a new log", first);
  const named = first.confirmed.find(({ events }) => events === 1)?.after ?? 0;
  for (let n = 0; n < later; n += 1) {
    const cut = cutAt(named + random.below(first.ops.length - named), n + seed);
    await cutAll(`after a cut at ${cut.after}`, await laterHistory(home, { first, cut }));
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
say(`${cuts} power cuts, ${problems} problems`);
process.exitCode = problems === 0 ? 0 : 1;
