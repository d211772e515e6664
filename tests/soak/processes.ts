import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMIT_MS } from "../eventually.ts";
import type { Orders } from "./orders.ts";

/** A process of a round. */
export interface Running {
  readonly child: ChildProcess;
  readonly role: Orders["role"];
  /** Resolves when it has opened the log, or ended without. */
  readonly opened: Promise<void>;
  /** Resolves with what it ended with: an exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** What it wrote to standard error. */
  readonly said: () => string;
}

/** Starts a process from the TypeScript sources. */
export function start(orders: Orders): Running {
  const child = fork(join(import.meta.dirname, "child.ts"), [JSON.stringify(orders)], {
    execArgv: ["--no-warnings"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close").then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  const opened = Promise.race([once(child, "message"), ended]).then(() => undefined);
  return { child, role: orders.role, opened, ended, said: () => said };
}

/** Whether a process ends within this time; what it ended with if so. */
export async function endsWithin(running: Running, ms: number): Promise<number | NodeJS.Signals | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([running.ended, sleep(ms, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}

/** Kills a process, and resolves when it is gone. */
export async function kill(running: Running): Promise<void> {
  running.child.kill("SIGKILL");
  await running.ended;
}

/** Lets a process finish the work under way; kills it when it does not. */
export async function stop(running: Running): Promise<number | NodeJS.Signals> {
  // One that has just been started does not listen to signals yet.
  await running.opened;
  running.child.kill("SIGTERM");
  const ended = await endsWithin(running, LIMIT_MS);
  if (ended !== undefined) return ended;
  await kill(running);
  return "SIGKILL";
}
