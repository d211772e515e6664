import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import type { Installed } from "./installed.ts";
import { type Ended, shellOf } from "./shell.ts";
import { hasTerminals, NO_TERMINAL, onTerminal } from "./terminal.ts";

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
    expect(stderr).toMatch(/^models +simulated/);
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

  test("asks at a terminal, and approves nothing when the answer is no, or Ctrl-C", async ({ skip }) => {
    skip(!hasTerminals(), NO_TERMINAL);
    const shell = shellOf(installed());
    const terminal = { TERM: "xterm" };
    const answered = async (answer: string): Promise<Ended> => {
      const asking = shell.start("script", onTerminal("atlas quickstart"), terminal);
      await asking.says(/approve the 2 sessions that succeeded and keep 1 out\? \[Y\/n\]/);
      asking.child.stdin.write(answer);
      return asking.ended;
    };
    const no = await answered("n\r");
    expect(no).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing was approved") });
    expect(await answered("\u0003")).toMatchObject({ code: 130 });
    expect(await shell.json("review", "list", "--status", "approved")).toEqual([]);
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
