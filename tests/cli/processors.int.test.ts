import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atlas } from "./from-source.ts";
import { hereServed } from "./here.ts";

test("which versions answer is listed, promoted and retired, and bad input is one line", async () => {
  const { folder } = await hereServed();
  const row = {
    messages: [
      { role: "user", content: "Hello?" },
      { role: "assistant", content: "Hello." },
    ],
    reward: 1,
  };
  writeFileSync(join(folder, "runs.jsonl"), JSON.stringify(row));
  expect(await atlas(folder, ["processors", "list"])).toMatchObject({
    stdout: "No processor has run on this database.\n",
  });
  expect(await atlas(folder, ["import", "runs.jsonl", "--quiet"])).toMatchObject({ code: 0 });
  expect(await atlas(folder, ["processors", "list"])).toMatchObject({ code: 0 });
  const listed = await atlas(folder, ["processors", "list", "--json"]);
  expect(JSON.parse(listed.stdout)).toContainEqual({
    processor: "drift",
    version: 3,
    role: "answers",
    behind: 0,
    kept: 0,
  });
  const done = await atlas(folder, ["processors", "promote", "drift", "--quiet"]);
  expect(done).toMatchObject({ code: 0, stdout: "Version 3 of drift answers already.\n" });
  const all = await atlas(folder, ["processors", "promote", "--all", "--quiet", "--json"]);
  expect(JSON.parse(all.stdout)).toHaveLength(3);

  for (const [args, code, words] of [
    [["promote"], 2, "name a processor, or say --all"],
    [["promote", "nobody"], 1, "ATLAS_VERSION_NOT_FOUND"],
    [["promote", "drift", "--version-number", "x"], 2, "--version-number"],
    [["retire", "drift"], 2, "no version of a processor"],
    [["retire", "drift@9"], 1, "ATLAS_VERSION_NOT_FOUND"],
    [["retire", "drift@3"], 1, "ATLAS_VERSION_ANSWERS"],
  ] as const) {
    const said = await atlas(folder, ["processors", ...args, "--quiet"]);
    expect([args, said.code, said.stderr]).toEqual([args, code, expect.stringContaining(words)]);
    expect(said.stderr.trim().split("\n")).toHaveLength(1);
  }
});
