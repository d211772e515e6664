import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { ServiceUnavailable } from "../unavailable.ts";
import { freePort } from "./free-port.ts";
import { type Instance, type Owner, startInstance } from "./instance.ts";

/** A Postgres server of one's own. */
export interface PostgresInstance extends Instance {
  /** Of its `postgres` database, as a superuser. */
  url: string;
}

/** What a server does not do that nobody restarts: its data end with it. */
export const UNSYNCED = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"].flatMap((setting) => [
  "-c",
  setting,
]);

/**
 * Starts a fresh Postgres server on loopback from the installed binaries.
 *
 * @param durable whether it syncs to disk, as any server does
 *
 * @throws ServiceUnavailable when Postgres is not installed
 * @example
 * await using server = await startPostgres();
 * const pool = new Pool({ connectionString: server.url });
 * await server.restart();
 */
export async function startPostgres(durable = true): Promise<PostgresInstance> {
  const bin = postgresBinaries();
  const owner = unprivileged();
  const port = await freePort();
  const password = randomBytes(12).toString("hex");
  const url = `postgres://atlas:${password}@127.0.0.1:${port}/postgres`;
  const instance = await startInstance({
    name: "postgres",
    command: join(bin, "postgres"),
    args: (folder) => [
      ...["-D", join(folder, "data"), "-p", String(port)],
      ...["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"],
      ...(durable ? [] : UNSYNCED),
    ],
    async prepare(folder) {
      const secret = join(folder, "password");
      writeFileSync(secret, password);
      await promisify(execFile)(
        join(bin, "initdb"),
        [
          ...["-D", join(folder, "data"), "--username=atlas", "--auth=scram-sha-256", `--pwfile=${secret}`],
          ...["--encoding=UTF8", "--locale=C", "--no-sync"],
        ],
        { cwd: folder, ...owner },
      );
    },
    async ready() {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
      try {
        await client.connect();
        await client.query("select 1");
      } finally {
        await client.end();
      }
    },
    endSignal: "SIGINT",
    owner,
  });
  return Object.assign(instance, { url });
}

/**
 * The folder of the newest installed server; distributions keep it off the PATH.
 *
 * @throws ServiceUnavailable when none is installed
 */
export function postgresBinaries(): string {
  const folders = globSync([
    "/usr/lib/postgresql/*/bin",
    "/{opt/homebrew,usr/local}/opt/postgresql@*/bin",
  ]).sort((a, b) => Number(/\d+/.exec(b)) - Number(/\d+/.exec(a)));
  try {
    folders.push(execFileSync("pg_config", ["--bindir"], { encoding: "utf8", stdio: "pipe" }).trim());
  } catch {
    // Its development package is not installed; the server may still be.
  }
  const found = folders.find(
    (folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")),
  );
  if (found === undefined) {
    throw new ServiceUnavailable(
      "the Postgres server is not installed (on Debian: apt-get install postgresql)",
    );
  }
  return found;
}

/** Postgres refuses to run as root. */
function unprivileged(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: "pipe" }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // No such user.
    }
  }
  throw new ServiceUnavailable("Postgres does not run as root, and there is no user 'postgres' or 'nobody'");
}
