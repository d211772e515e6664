import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { newProgram } from "../../cli/program.ts";
import { importCommand } from "../../cli/usage/import.ts";
import { folderForTest } from "../app/opened.ts";

test.each([
  ["a file that is not there", undefined, ["none.jsonl"], "ATLAS_FILE_UNREADABLE"],
  ["an empty file", "", ["runs.jsonl"], undefined],
  ["a file of nothing but faults", "{]\n\n[1\n", ["runs.jsonl"], undefined],
  [
    "an export of the Python SDK that is not there",
    undefined,
    ["--from-jsonl", "none.jsonl"],
    "ATLAS_FILE_UNREADABLE",
  ],
])("%s makes no log", async (_, content, args, code) => {
  const before = process.cwd();
  const folder = folderForTest();
  process.chdir(folder);
  const written = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation(() => true),
  );
  const listeners = (["SIGINT", "SIGTERM"] as const).map((name) => [name, process.listeners(name)] as const);
  onTestFinished(() => {
    process.chdir(before);
    process.exitCode = undefined;
    for (const spy of written) spy.mockRestore();
    for (const [name, kept] of listeners)
      for (const listener of process.listeners(name))
        if (!kept.includes(listener)) process.off(name, listener);
  });
  if (content !== undefined) writeFileSync(join(folder, "runs.jsonl"), content);
  const program = newProgram("atlas", "", "0");
  importCommand(program);
  const importing = program.parseAsync(["import", ...args], { from: "user" });
  if (code === undefined) await importing;
  else await expect(importing).rejects.toMatchObject({ code });
  expect(existsSync(join(folder, ".atlas"))).toBe(false);
});
