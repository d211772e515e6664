import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ServiceUnavailable } from "../unavailable.ts";

const NEEDED = 17;

/** Short-lived servers: the quick compiler and the small collector start in half the time. */
export const JVM_OPTIONS = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/** @throws ServiceUnavailable unless a Java that can run the services is installed */
export async function requireJava(what: string): Promise<void> {
  let version = "";
  try {
    version = (await promisify(execFile)("java", ["-version"])).stderr;
  } catch (error) {
    throw new ServiceUnavailable(`${what} needs Java ${NEEDED} or newer, and there is none`, {
      cause: error,
    });
  }
  const major = Number(/version "(\d+)/.exec(version)?.[1]);
  if (major < NEEDED)
    throw new ServiceUnavailable(`${what} needs Java ${NEEDED} or newer; this is Java ${major}`);
}
