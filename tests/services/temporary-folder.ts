import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 8 * 1024 ** 3;
const PREFIX = "atlas-tests-";

/** Whether files can be kept in memory: there is room, and what is there can be run and opened as elsewhere. */
function hasMemory(): boolean {
  if (!existsSync(MEMORY) || !existsSync("/proc/mounts")) return false;
  const mount = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .findLast(([, place]) => place === MEMORY);
  const options = mount?.[3]?.split(",") ?? [];
  const { bavail, bsize } = statfsSync(MEMORY);
  return (
    mount?.[2] === "tmpfs" && !/\bnodev\b|\bnoexec\b/.test(options.join()) && bavail * bsize > ENOUGH_BYTES
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Gives this run of the tests, and what it starts, a temporary folder of its own: in memory where that goes, because
 * tests keep little and wait for the disk a lot. It is gone when the process ends, and those of runs that were killed go
 * first. A TMPDIR that was given is used as it is.
 */
export function useTemporaryFolder(): void {
  if (process.env["TMPDIR"] !== undefined) return;
  const base = hasMemory() ? MEMORY : tmpdir();
  for (const name of readdirSync(base)) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : Number.NaN;
    if (Number.isInteger(pid) && !isRunning(pid)) rmSync(join(base, name), { recursive: true, force: true });
  }
  const folder = join(base, `${PREFIX}${process.pid}`);
  // Servers of other users have folders in it.
  mkdirSync(folder, { mode: 0o755 });
  process.env["TMPDIR"] = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
}
