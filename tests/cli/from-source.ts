import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { type } from "./typed.ts";
import type { Ended } from "./user-folder.ts";

const ATLAS = resolve(import.meta.dirname, "../../cli/atlas.ts");

/** A folder of a user, in which commands run without keys. */
export function userFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "atlas-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts `atlas` from its sources; it has nothing of this process's environment but the path. */
export function startAtlas(folder: string, args: readonly string[], env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [ATLAS, ...args], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      HOME: folder,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test that ran out of time leaves nothing running.
  onTestFinished(() => void child.kill("SIGKILL"));
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]!.setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
    });
  const ended = once(child, "close").then(([code]): Ended => ({ code: code as number | null, ...written }));
  return { child, ended };
}

/** Runs `atlas` to its end, in this process. */
export const atlas = (
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> => type("atlas", { folder, args, env });
