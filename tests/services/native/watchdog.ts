// Ends one service when the process that started it is gone, however it went: that process holds this one's standard
// input open, which the system closes even after SIGKILL. Arguments: the signal that ends the service, and its folder.
// Each line of the input is the service's current process id.
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const GRACE_MS = 5000;
const [signal, folder] = process.argv.slice(2) as [NodeJS.Signals, string];

function send(pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, what);
    return true;
  } catch {
    return false;
  }
}

async function end(pid: number): Promise<void> {
  if (!send(pid, signal)) return;
  send(pid, "SIGCONT");
  for (const deadline = Date.now() + GRACE_MS; send(pid, 0); await sleep(20)) {
    if (Date.now() < deadline) continue;
    send(pid, "SIGKILL");
    return;
  }
}

for (const ignored of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(ignored, () => {});

let pid: number | undefined;
for await (const line of createInterface({ input: process.stdin }))
  pid = line === "" ? undefined : Number(line);
if (pid !== undefined) await end(pid);
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
