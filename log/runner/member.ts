import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Where a process id means something: containers may share a host name and not their process ids. Elsewhere than on
 * Linux it is the host.
 */
function processSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
    return `${hostname()}/${boot}/${readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")}`;
  } catch {
    return hostname();
  }
}

const HERE = processSpace();

/** A new member's name: where its process id counts, the process and a random part. */
export const memberName = (): string => `${HERE}:${process.pid}:${randomUUID().slice(0, 8)}`;

/** Says whether a member was a process of this host that is gone: then nobody has to wait for its lease. */
export function isGone(member: string): boolean {
  const [space, pid] = member.split(":");
  if (space !== HERE || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** How long a member that stops waits for its units of work. What is not done by then rolls back, and is done again. */
export const STOP_MS = 10_000;
