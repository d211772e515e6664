import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { foldSession } from "../../traces/fold.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { pythonFor } from "../services/python.ts";
import { anySession } from "./arbitrary-sessions.ts";
import { factsOf, wholeSession } from "./sessions.ts";

const python = await pythonFor("readers", "reading with Arrow");

describe.skipIf(!python)("Arrow", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-lines-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("reads any sessions together, in any cut of the file", () => {
    const whole = wholeSession("a");
    const sessions = fc.sample(anySession("any"), { numRuns: 60, seed: 11 });
    const all = [[...whole, ...factsOf(whole)], wholeSession("b"), ...sessions];
    const file = join(folder, "lines.jsonl");
    writeFileSync(file, all.map((events) => `${encodeTrainingLine(foldSession(events))}\n`).join(""));
    const script = join(import.meta.dirname, "read_lines.py");
    expect(execFileSync(python!, [script, file], { encoding: "utf8" }).trim()).toBe(String(all.length));
  });
});
