import { execFile } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ADA, type Ended } from "../cli/user-folder.ts";
import type { Installed } from "./installed.ts";
import { shellOf } from "./shell.ts";
import { hasTerminals, NO_TERMINAL, onTerminal } from "./terminal.ts";

/** What `atlas quickstart --json` prints, as far as these tests look. */
interface Report {
  sessions: { title: string; status: string; simulated: boolean; approved: boolean; sessionId: string }[];
  file: { path: string; sha256: string };
  identical: boolean;
}

/** Where the quickstart's sessions are. */
const OWN = ["--config", ".atlas/quickstart/atlas.yaml"];

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
    const dataset = shell.read(".atlas/quickstart/dataset.jsonl");
    expect(dataset.trimEnd().split("\n")).toHaveLength(2);
    const failed = /^Password reset +failed .* (\S+)$/m.exec(stdout)![1]!;
    expect(dataset).not.toContain(failed);
    // What it says comes next works as it stands there, and the user's own log has nothing of it.
    const next = [...stdout.matchAll(/^ {2}atlas ((?:sessions|review) .*)$/gm)].map(([, words]) => words!);
    expect(next).toHaveLength(2);
    const looked = [];
    for (const words of next) looked.push(await shell.atlas(...words.split(" ")));
    expect(looked.map(({ code }) => code)).toEqual([0, 0]);
    expect(looked[0]!.stdout).toMatch(/^session .* succeeded/);
    expect(looked[1]!.stdout).toContain("approved (2)");
    expect(await shell.json("sessions", "list")).toEqual([]);
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
    expect(await shell.json("review", "list", "--status", "approved", ...OWN)).toEqual([]);
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
    // By its name on the registry, and what it says comes next works so, too.
    symlinkSync(join(installed().folder, "node_modules"), shell.file("node_modules"));
    const env = { PATH: process.env["PATH"], HOME: shell.folder, ...ADA };
    const npx = ["--no", "atlas-sdk", "quickstart"];
    const second = await promisify(execFile)("npx", npx, { cwd: shell.folder, env });
    expect(second.stdout).toMatch(/^Dataset: \S+ \(2 sessions/m);
    expect(second.stdout).toMatch(/^ {2}npx atlas-sdk sessions /m);
    expect(await shell.json("sessions", "list", ...OWN)).toHaveLength(6);
  });
}
