import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** A new member's name: host, process and a random part. */
export const memberName = (): string => `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;

/** Says whether a member was a process of this host that is gone: then nobody has to wait for its lease. */
export function isGone(member: string): boolean {
  const [host, pid] = member.split(":");
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
