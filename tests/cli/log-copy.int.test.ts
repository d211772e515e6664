import { expect, test } from "vitest";
import { hereServed } from "./here.ts";
import { linesOf, recorded } from "./recorded.ts";
import type { Ended } from "./user-folder.ts";

test("atlas log copy makes a log from which a dataset can be built again", async () => {
  const user = await hereServed();
  const run = (...args: string[]): Promise<Ended> => user.atlas(...args);
  user.write("runs.jsonl", linesOf([1, 2, 3].map((index) => recorded(index))));
  user.write("copy.yaml", "log: {kind: embedded, path: copy}\n");
  await run("import", "runs.jsonl");
  await run("review", "approve", "--all", "--status", "pending", "--yes");
  expect(await run("dataset", "build", "--output", "data")).toMatchObject({ code: 0 });

  const copied = await run("log", "copy", "--to", "copy");
  expect(copied).toMatchObject({ code: 0, stderr: "" });
  expect(copied.stdout).toMatch(/^Copied \d+ events to embedded:.*\/copy\n$/);
  const again = await run("log", "copy", "--to", "copy.yaml", "--json");
  expect(JSON.parse(again.stdout)).toMatchObject({ copied: 0, present: expect.any(Number) });
  expect(await run("dataset", "reproduce", "data", "--config", "copy.yaml")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The same bytes: 3 sessions/),
  });

  const refused: [args: string[], code: number, words: RegExp][] = [
    [["--to", ".atlas"], 1, /^ATLAS_COPY_REFUSED: this is the log itself/],
    [["--to", "runs.jsonl"], 1, /^ATLAS_FILE_UNWRITABLE/],
  ];
  for (const [args, code, words] of refused)
    expect(await run("log", "copy", ...args), args.join(" ")).toMatchObject({
      code,
      stderr: expect.stringMatching(words),
    });
});
