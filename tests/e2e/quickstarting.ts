import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import type { Installed } from "./installed.ts";
import { shellOf } from "./shell.ts";

/** What `atlas quickstart --json` prints, as far as these tests look. */
interface Report {
  sessions: { title: string; status: string; simulated: boolean; approved: boolean; sessionId: string }[];
  file: { path: string; sha256: string };
  identical: boolean;
}

export function quickstarting(installed: () => Installed): void {
  test("shows what happened, approves what passed, and proves that it can be replayed", async () => {
    const shell = shellOf(installed());
    const { code, stdout, stderr } = await shell.atlas("quickstart");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/^Models: simulated/);
    expect(stderr).toContain("[simulated]");
    expect(stdout).toMatch(/^Task +Status +Reward +Tokens +Time +Session$/m);
    expect(stdout).toContain("These models are simulated");
    expect(stdout).toMatch(/approved the 2 sessions that succeeded \(no terminal to ask on\)/);
    const [, path] = /^Dataset: (\S+\.jsonl) \(2 sessions/m.exec(stdout)!;
    expect(existsSync(path!)).toBe(true);
    expect(stdout).toMatch(/^Replay: +rebuilt .* the same bytes\.$/m);
    expect(stdout).toContain("Next:");
    expect(shell.read(".atlas/quickstart.jsonl").trimEnd().split("\n")).toHaveLength(2);
    const failed = /^Password reset +failed .* (\S+)$/m.exec(stdout)![1]!;
    expect(shell.read(".atlas/quickstart.jsonl")).not.toContain(failed);
  });

  test("--json prints nothing but JSON, and a second run adds to the first", async () => {
    const shell = shellOf(installed());
    const first = await shell.json<Report>("quickstart", "--quiet");
    expect(first.identical).toBe(true);
    expect(first.sessions.map(({ status, approved }) => `${status} ${approved}`)).toEqual([
      "succeeded true",
      "succeeded true",
      "failed false",
    ]);
    expect(first.sessions.every(({ simulated }) => simulated)).toBe(true);
    await shell.json<Report>("quickstart", "--quiet");
    expect(await shell.json("sessions", "list")).toHaveLength(6);
  });
}
