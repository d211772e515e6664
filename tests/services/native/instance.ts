import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { signalTree } from "./process-tree.ts";

/** A service of one's own, to be taken down and brought back while a test looks on. */
export interface Instance extends AsyncDisposable {
  /** Of the running process; another one after `restart`. */
  readonly pid: number;
  /** Where its data and its log (`service.log`) are, until `stop`. */
  readonly folder: string;
  /**
   * Sends a signal to the service and all its children, SIGKILL unless told; resolves when it has ended, or at once
   * for SIGSTOP and SIGCONT (a service that hangs, and one that wakes). Its data stay.
   */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same port with the same data; ends it first if it still runs. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** How to run one native service. */
export interface Plan {
  name: string;
  command: string;
  args(folder: string): string[];
  /** Makes the folder ready for the first start. */
  prepare(folder: string): Promise<void>;
  /** Throws until the service answers. */
  ready(): Promise<void>;
  /** What ends it without leaving anything behind. */
  endSignal: NodeJS.Signals;
  owner?: Owner | undefined;
}

/** The unprivileged user a service has to run as. */
export interface Owner {
  uid: number;
  gid: number;
}

const START_TIMEOUT_MS = 300_000;

/** Starts a native service in a fresh temporary folder and waits until it answers. */
export async function startInstance(plan: Plan): Promise<Instance> {
  const folder = mkdtempSync(join(tmpdir(), `atlas-${plan.name}-`));
  const watchdog = startWatchdog(plan.endSignal, folder);
  const stop = async (): Promise<void> => {
    if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
    const ended = once(watchdog, "exit");
    watchdog.ref();
    watchdog.stdin?.end();
    await ended;
  };
  try {
    if (plan.owner) chownSync(folder, plan.owner.uid, plan.owner.gid);
    await plan.prepare(folder);
    let service = await run(plan, folder, watchdog);
    const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
      if (hasEnded(service)) return;
      const lives = signal === "SIGSTOP" || signal === "SIGCONT";
      const ended = once(service, "exit");
      signalTree(service.pid!, signal);
      if (lives) return;
      service.ref();
      await ended;
      watchdog.stdin?.write("\n");
    };
    return {
      get pid() {
        return service.pid!;
      },
      folder,
      kill,
      async restart() {
        await kill();
        service = await run(plan, folder, watchdog);
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function run(plan: Plan, folder: string, watchdog: ChildProcess): Promise<ChildProcess> {
  const logFile = join(folder, "service.log");
  const log = openSync(logFile, "a");
  // A group of its own: Ctrl-C in a terminal must not take the service away under tests that are still finishing.
  const service = spawn(plan.command, plan.args(folder), {
    stdio: ["ignore", log, log],
    detached: true,
    cwd: folder,
    ...plan.owner,
  });
  closeSync(log);
  await once(service, "spawn");
  service.unref();
  watchdog.stdin?.write(`${service.pid}\n`);
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await plan.ready();
      return service;
    } catch (error) {
      const why = hasEnded(service) ? "ended while it was starting" : "did not answer in time";
      if (hasEnded(service) || Date.now() > deadline) {
        const tail = readFileSync(logFile, "utf8").split("\n").slice(-15).join("\n");
        throw new Error(`${plan.name} ${why}; the end of its log:\n${tail}`, { cause: error });
      }
      await sleep(50);
    }
  }
}

function startWatchdog(signal: NodeJS.Signals, folder: string): ChildProcess {
  const script = join(import.meta.dirname, "watchdog.ts");
  const watchdog = spawn(process.execPath, [script, signal, folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  watchdog.unref();
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  return watchdog;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
