import { execFileSync } from "node:child_process";

/**
 * Signals a process and all its descendants, children first. A process group would not do: Postgres gives each backend
 * one of its own.
 */
export function signalTree(root: number, signal: NodeJS.Signals): void {
  for (const pid of processTree(root)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself in between.
    }
  }
}

function processTree(root: number): number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (pid: number): number[] => [
    ...rows.filter(([, parent]) => parent === pid).flatMap(([child]) => below(child)),
    pid,
  ];
  return below(root);
}
