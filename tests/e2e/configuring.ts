import { expect, test } from "vitest";
import type { Installed } from "./installed.ts";
import { shellOf } from "./shell.ts";

export function configuring(installed: () => Installed): void {
  test("--help names every command, and --version the version", async () => {
    const shell = shellOf(installed());
    const help = await shell.atlas("--help");
    expect(help.code).toBe(0);
    for (const command of [
      "quickstart",
      "import",
      "sessions",
      "review",
      "export",
      "rebuild",
      "worker",
      "log",
    ])
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
    expect((await shell.atlas("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const alias = await shell.run("arc-atlas", "--help");
    expect(alias).toMatchObject({ code: 0, stderr: "" });
    expect(alias.stdout).toContain("--output <file>");
  });
}
