import { readFileSync } from "node:fs";

/** Linux lists the listening sockets of everybody, with the user whose they are. */
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];
const LISTENING = "0A";
/** Below it are the accounts of services, such as the one that Ollama gets when it is installed. */
const FIRST_PERSON = 1000;

/**
 * The users who listen on a port, by a table as Linux has it.
 *
 * @example
 * listenersIn(readFileSync("/proc/net/tcp", "utf8"), 11434); // [998]
 */
export function listenersIn(table: string, port: number): number[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , user] = line.trim().split(/\s+/);
    return state === LISTENING && local.endsWith(`:${hex}`) ? [Number(user)] : [];
  });
}

/** Whether another person of this machine listens on a port; false where the system does not say. */
export function isAnotherPersons(port: number): boolean {
  const own = process.getuid?.();
  return TABLES.some((table) => {
    try {
      return listenersIn(readFileSync(table, "utf8"), port).some(
        (user) => user >= FIRST_PERSON && user !== own,
      );
    } catch {
      return false;
    }
  });
}
