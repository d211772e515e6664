import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";
import type { EmbeddedOptions } from "../../database/embedded/open-embedded.ts";
import { eventually } from "../eventually.ts";
import type { Answer, Order } from "./embedded-child.ts";

/** Another process with a handle on an embedded database. */
export interface EmbeddedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Has it do something, and returns or throws what came of it. */
  ask<T = unknown>(order: Order): Promise<T>;
  /** Sends a signal; resolves when the process has ended or stopped, if the signal does that. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** What the process's call failed with, as far as it crosses processes. */
export class RemoteError extends Error {
  readonly code: string | undefined;
  readonly transient: boolean;

  constructor(failure: { message: string; code?: string | undefined; transient: boolean }) {
    super(failure.message);
    this.code = failure.code;
    this.transient = failure.transient;
  }
}

const stateOf = ({ pid }: ChildProcess): string =>
  execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });

/** Starts a process that has opened nothing yet. */
export async function startProcess(): Promise<EmbeddedProcess> {
  const child = fork(join(import.meta.dirname, "embedded-child.ts"), { execArgv: [] });
  const waiting = new Map<number, (answer: Answer) => void>();
  let count = 0;
  child.on("message", (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  child.on("exit", () => {
    for (const [id, settle] of waiting)
      settle({ id, failure: { message: "process ended", transient: false } });
  });
  await once(child, "spawn");
  return {
    child,
    pid: child.pid!,
    async ask<T>(order: Order) {
      count += 1;
      const id = count;
      const answer = await new Promise<Answer>((resolve) => {
        waiting.set(id, resolve);
        child.send({ id, order });
      });
      if ("failure" in answer) throw new RemoteError(answer.failure);
      return answer.result as T;
    },
    async kill(signal = "SIGKILL") {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      if (signal === "SIGSTOP") await eventually(() => expect(stateOf(child)).toMatch(/^T/));
      else if (signal !== "SIGCONT") await once(child, "exit");
    },
  };
}

/** Starts a process that has opened a folder. */
export async function openIn(folder: string, options: EmbeddedOptions = {}): Promise<EmbeddedProcess> {
  const process = await startProcess();
  await process.ask({ kind: "open", folder, options });
  return process;
}
