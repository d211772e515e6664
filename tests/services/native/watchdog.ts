// Ends one service when the process that started it is gone, however it went: that process holds this one's standard
// input open, which the system closes even after SIGKILL. Arguments: the signal that ends the service, and its folder.
// Each line of the input is the service's current process id.
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { signalTree } from "./process-tree.ts";

const GRACE_MS = 5000;
const [signal, folder] = process.argv.slice(2) as [NodeJS.Signals, string];

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function end(pid: number): Promise<void> {
  if (!isRunning(pid)) return;
  // What a test has stopped could not follow any other signal.
  signalTree(pid, "SIGCONT");
  process.kill(pid, signal);
  for (const deadline = Date.now() + GRACE_MS; isRunning(pid); await sleep(20)) {
    if (Date.now() < deadline) continue;
    signalTree(pid, "SIGKILL");
    return;
  }
}

for (const ignored of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(ignored, () => {});

let pid: number | undefined;
for await (const line of createInterface({ input: process.stdin }))
  pid = line === "" ? undefined : Number(line);
if (pid !== undefined) await end(pid);
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
