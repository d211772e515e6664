import { expect, test } from "vitest";
import { tenRuns } from "../cli/recorded.ts";
import type { Installed } from "./installed.ts";
import { shellOf } from "./shell.ts";

/** What a user does first, each command a process that opens the log and ends by itself. */
export function firstHour(installed: () => Installed): void {
  test("import, look, approve, export under both names, rebuild: the same bytes, and exit codes that say so", async () => {
    const shell = shellOf(installed());
    shell.write("runs.jsonl", `${tenRuns()}{"messages": [\n`);
    const imported = await shell.atlas("import", "runs.jsonl");
    expect(imported).toMatchObject({ code: 3, stderr: expect.stringMatching(/^runs\.jsonl:11: /) });
    const listed = await shell.json<{ id: number }[]>("sessions", "list");
    expect(listed).toHaveLength(10);
    const nothing = await shell.run("arc-atlas", "--output", "traces.jsonl");
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^ATLAS_NOTHING_TO_EXPORT: .*\n$/),
    });
    await shell.json("review", "approve", "--all", "--status", "pending");
    await shell.json("export", "--output", "before.jsonl");
    const { derived } = await shell.json<{ derived: object }>("rebuild", "--derived");
    expect(derived).toMatchObject({ recomputed: 30, differences: 0 });
    expect(await shell.run("arc-atlas", "--output", "after.jsonl")).toMatchObject({ code: 0 });
    expect(shell.read("after.jsonl")).toBe(shell.read("before.jsonl"));
    expect(await shell.json("sessions", "list")).toMatchObject(listed.map(({ id }) => ({ id })));
    const missing = await shell.atlas("sessions", "list", "--config", "none.yaml");
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^ATLAS_CONFIG_NOT_FOUND: .*\n$/),
    });
  });
}
