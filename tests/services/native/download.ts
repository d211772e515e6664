import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify, stripVTControlCharacters } from "node:util";
import { ServiceUnavailable } from "../unavailable.ts";
import { progress } from "./progress.ts";

const execute = promisify(execFile);

const cacheFolder = (): string =>
  process.env.ATLAS_SERVICES_CACHE ?? join(homedir(), ".cache", "atlas-sdk", "services");

/**
 * A folder of the cache, filled on first use. It appears under its name only when it is whole, and of several
 * processes that want it at once, one fills it.
 *
 * @throws ServiceUnavailable when it cannot be fetched
 */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder(), { recursive: true });
  using _lock = await lock(join(cacheFolder(), `${name}.lock`));
  if (existsSync(folder)) return folder;
  const partial = `${folder}.part`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial);
  progress(`Fetching ${name} (once) …`);
  try {
    await fill(partial);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (error instanceof ServiceUnavailable) throw error;
    throw new ServiceUnavailable(
      `${name} could not be fetched from Maven Central (${lastWords(error)}); go online once, start Docker, or name ` +
        "running services in ATLAS_TEST_KAFKA_BROKERS and ATLAS_TEST_SCHEMA_REGISTRY_URL",
      { cause: error },
    );
  }
  renameSync(partial, folder);
  return folder;
}

/**
 * Runs Maven without output.
 *
 * @throws ServiceUnavailable when Maven is not installed
 */
export async function maven(cwd: string, ...args: string[]): Promise<void> {
  try {
    await execute("mvn", ["--batch-mode", "--quiet", "--strict-checksums", ...args], { cwd });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new ServiceUnavailable(
      "Maven (mvn) is not installed; it fetches what Kafka and the registry run from",
      {
        cause: error,
      },
    );
  }
}

function lastWords(error: unknown): string {
  const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
  const lines = stripVTControlCharacters(`${stdout ?? ""}\n${stderr ?? ""}`).split("\n");
  const told = lines.find((line) => line.startsWith("[ERROR]"))?.slice("[ERROR] ".length) ?? message;
  // Maven tells the whole chain of causes in one line; the last one is the reason.
  return told.replace(/^.*transfer failed for \S+: /, "").replace(/ -> \[Help 1\].*$/, "");
}

/** The system frees this lock with the process that holds it, so that no crash leaves one behind. */
async function lock(file: string): Promise<Disposable> {
  const database = new DatabaseSync(file, { timeout: 0 });
  for (;;) {
    try {
      database.exec("BEGIN EXCLUSIVE");
      return { [Symbol.dispose]: () => database.close() };
    } catch (error) {
      if (!/locked|busy/i.test(String(error))) throw error;
      await sleep(200);
    }
  }
}
