import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { ADA, type Ended, type Program, UserFolder } from "../cli/user-folder.ts";
import type { Installed } from "./installed.ts";

/** A command under way. */
export interface UnderWay {
  readonly child: ChildProcess & { readonly stdin: Writable };
  readonly ended: Promise<Ended>;
  /** Resolves with the match as soon as what it wrote, to whichever stream, has one. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
}

/** A user's folder whose commands are processes of the installed package. */
export class Shell extends UserFolder {
  private readonly path: string;
  private readonly children = new Set<ChildProcess>();

  constructor(installed: Installed) {
    super();
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
        ...ADA,
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

  run(program: Program, ...args: string[]): Promise<Ended> {
    return this.start(program, args).ended;
  }

  /** Ends what a failed test left running, and removes the folder. */
  override remove(): void {
    for (const child of this.children) if (child.exitCode === null) child.kill("SIGKILL");
    super.remove();
  }
}

/** A shell for one test. */
export function shellOf(installed: Installed): Shell {
  const shell = new Shell(installed);
  onTestFinished(() => shell.remove());
  return shell;
}
