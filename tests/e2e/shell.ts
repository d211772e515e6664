import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { Installed } from "./installed.ts";

/** The names of the package's programs. */
export type Program = "atlas" | "arc-atlas";

/** What a command ended with, and what it wrote. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command under way. */
export interface UnderWay {
  readonly child: ChildProcess & { readonly stdin: Writable };
  readonly ended: Promise<Ended>;
  /** Resolves with the match as soon as what it wrote, to whichever stream, has one. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
}

/** A folder in which a user works, with a home of its own and no keys in the environment. */
export class Shell {
  readonly folder = mkdtempSync(join(tmpdir(), "atlas-shell-"));
  private readonly path: string;
  private readonly children = new Set<ChildProcess>();

  constructor(installed: Installed) {
    this.path = installed.path;
  }

  /** Starts a command without a terminal. */
  start(program: string, args: readonly string[], env: Record<string, string> = {}): UnderWay {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: {
        PATH: this.path,
        HOME: this.folder,
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        ATLAS_REVIEWER: "ada",
        ATLAS_OFFLINE_MODE: "1",
        ...env,
      },
      stdio: "pipe",
    });
    this.children.add(child);
    const written = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        written[name] += text;
      });
    const ended = once(child, "close").then(([code]): Ended => ({ code: code as number | null, ...written }));
    const says = async (pattern: RegExp): Promise<RegExpMatchArray> => {
      for (;;) {
        const match = pattern.exec(written.stderr) ?? pattern.exec(written.stdout);
        if (match !== null) return match;
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`it ended before it said ${pattern}: ${written.stderr}`);
        await Promise.race([sleep(20), ended]);
      }
    };
    return { child, ended, says };
  }

  /** Runs a command to its end. */
  run(program: Program, ...args: string[]): Promise<Ended> {
    return this.start(program, args).ended;
  }

  atlas(...args: string[]): Promise<Ended> {
    return this.run("atlas", ...args);
  }

  /** Runs a command that has to succeed, and parses what it printed. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.atlas(...args, "--json");
    if (code !== 0) throw new Error(`atlas ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.file(name), text);
    return this.file(name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  /** Ends what a failed test left running, and removes the folder. */
  remove(): void {
    for (const child of this.children) if (child.exitCode === null) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A shell for one test. */
export function shellOf(installed: Installed): Shell {
  const shell = new Shell(installed);
  onTestFinished(() => shell.remove());
  return shell;
}
