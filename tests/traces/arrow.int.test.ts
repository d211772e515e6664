import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { foldSession } from "../../traces/fold.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { anySession } from "./arbitrary-sessions.ts";
import { factsOf, wholeSession } from "./sessions.ts";

const available = spawnSync("python3", ["-c", "import pyarrow"]).status === 0;
if (!available) console.warn("Skipped: python3 has no pyarrow here (pip install pyarrow).");

describe.skipIf(!available)("Arrow", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-lines-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("reads any sessions together, in any cut of the file", () => {
    const whole = wholeSession("a");
    const sessions = fc.sample(anySession("any"), { numRuns: 60, seed: 11 });
    const all = [[...whole, ...factsOf(whole)], wholeSession("b"), ...sessions];
    const file = join(folder, "lines.jsonl");
    writeFileSync(file, all.map((events) => `${encodeTrainingLine(foldSession(events))}\n`).join(""));
    const script = join(import.meta.dirname, "read_lines.py");
    expect(execFileSync("python3", [script, file], { encoding: "utf8" }).trim()).toBe(String(all.length));
  });
});
