import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EmbeddedDatabase, openEmbedded } from "../../database/embedded/open-embedded.ts";
import { socketFolder, socketIn } from "../../database/embedded/socket-folder.ts";
import { isTransient } from "../../database/transient.ts";
import { explain } from "../../errors/atlas-error.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { type EmbeddedProcess, openIn, startProcess } from "./embedded-process.ts";

const MB = 1024 * 1024;

describe("an embedded database that several processes use", () => {
  let folder: string;
  const opened: (EmbeddedDatabase | EmbeddedProcess)[] = [];
  const openHere = async (): Promise<EmbeddedDatabase> => {
    const db = await openEmbedded(folder);
    opened.push(db);
    return db;
  };
  const openThere = async (): Promise<EmbeddedProcess> => {
    const process = await openIn(folder);
    opened.push(process);
    return process;
  };
  const numbers = async (db: EmbeddedDatabase): Promise<number[]> =>
    (await db.query<{ n: number }>("select n from t order by n")).rows.map((row) => row.n);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-sharing-"));
  });
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await ("close" in each ? each.close() : each.kill());
    // A killed holder leaves its socket behind, for the next one.
    rmSync(socketFolder(folder), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  test("forgets at once what a killed guest had begun", async () => {
    const db = await openHere();
    await db.query("create table t (n int primary key)");
    const guest = await openThere();
    await guest.ask({ kind: "hang", sql: "insert into t values (1)" });
    const waiting = db.query("insert into t values (1)");
    await guest.kill();
    await waiting;
    expect(await numbers(db)).toEqual([1]);
  });

  test("loses nothing confirmed when its holder is killed, again and again", async () => {
    const survivors = [await openThere(), await openThere(), await openThere()];
    await survivors[0]!.ask({ kind: "query", sql: "create table t (n int primary key)" });
    const from = (index: number): number => index * 1_000_000;
    for (const [index, each] of survivors.entries())
      await each.ask({ kind: "hammer", table: "t", from: from(index) });
    const confirmed: number[] = [];
    const failures: string[] = [];
    const grown = async (): Promise<void> => {
      const count = async (): Promise<number> => {
        const sql = "select count(*)::int as n from t";
        return (await survivors[0]!.ask<{ n: number }[]>({ kind: "query", sql }))[0]!.n;
      };
      const wanted = (await eventually(count)) + 30;
      await eventually(async () => expect(await count()).toBeGreaterThan(wanted));
    };
    for (let kill = 1; kill <= 4; kill += 1) {
      await grown();
      const roles = await Promise.all(survivors.map((each) => each.ask<{ role: string }>({ kind: "who" })));
      const holder = roles.findIndex(({ role }) => role === "holder");
      expect(roles.filter(({ role }) => role === "holder")).toHaveLength(1);
      // What the killed process was told is known to it alone, so it says so first.
      await survivors[holder]!.ask({ kind: "rest" }).then((rest) => {
        for (const sequence of (rest as { confirmed: number[] }).confirmed) confirmed.push(sequence);
      });
      await survivors[holder]!.kill();
      const next = await startProcess();
      opened.push(next);
      await next.ask({ kind: "open", folder });
      await next.ask({ kind: "hammer", table: "t", from: from(10 + kill) });
      survivors[holder] = next;
    }
    await grown();
    for (const each of survivors) {
      const rest = await each.ask<{ confirmed: number[]; failures: string[] }>({ kind: "rest" });
      for (const sequence of rest.confirmed) confirmed.push(sequence);
      for (const failure of rest.failures) failures.push(failure);
    }
    const db = await openHere();
    const kept = new Set(await numbers(db));
    expect(confirmed.filter((n) => !kept.has(n))).toEqual([]);
    expect(confirmed.length).toBeGreaterThan(100);
    expect(failures.length).toBeGreaterThan(0);
  });

  test("goes on with a guest when its holder closes", async () => {
    const holder = await openThere();
    const db = await openHere();
    expect(db.role).toBe("guest");
    await db.query("create table t as select 1 as n");
    await holder.ask({ kind: "close" });
    expect(await numbers(db)).toEqual([1]);
    expect(db.role).toBe("holder");
    expect(db.holder?.pid).toBe(process.pid);
  });

  test("fails what was in flight with a transient error when its holder goes", async () => {
    const holder = await openThere();
    const db = await openHere();
    await db.query("create table t (n int)");
    const inFlight = db.transaction(async (tx) => {
      await tx.query("insert into t values (1)");
      await holder.kill();
      await tx.query("insert into t values (2)");
    });
    const error = await inFlight.catch((reason: unknown) => reason);
    expect(isTransient(error)).toBe(true);
    expect(await numbers(db)).toEqual([]);
  });

  test("is refused by name while its holder hangs", async () => {
    const holder = await openThere();
    await holder.kill("SIGSTOP");
    const error = await openEmbedded(folder).catch((reason: unknown) => reason);
    await holder.kill("SIGCONT");
    expect(error).toMatchObject({ code: "ATLAS_LOG_HELD", retryable: true });
    expect(explain(error)).toContain(`process ${holder.pid}`);
    expect(explain(error)).toContain("does not answer");
    await (await openHere()).query("select 1");
  });

  test("is opened though its holder stopped between its answer and the goodbye", async () => {
    const holder = await openThere();
    await holder.kill("SIGSTOP");
    unlinkSync(socketIn(socketFolder(folder)));
    const clients = new Set<Socket>();
    // AuthenticationOk and ReadyForQuery; whoever says goodbye waits for ever.
    const answer = Buffer.from("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "latin1");
    const server = createServer({ allowHalfOpen: true }, (client) => {
      clients.add(client);
      client.on("error", () => undefined);
      client.once("data", () => client.write(answer));
    });
    await once(server.listen(socketIn(socketFolder(folder))), "listening");
    expect((await openHere()).role).toBe("guest");
    for (const client of clients) client.destroy();
    server.close();
    await holder.kill("SIGCONT");
  });

  test("waits for a holder that is busy for long", async () => {
    const holder = await openThere();
    const db = await openHere();
    const slow = holder.ask({ kind: "query", sql: "select 1 as n from pg_sleep(7)" });
    const own = holder.ask({ kind: "query", sql: "select 2 as n" });
    // Orders are taken in turn: it is at work by then.
    await holder.ask({ kind: "who" });
    expect((await db.query("select 3 as n")).rows).toEqual([{ n: 3 }]);
    expect(await Promise.all([slow, own])).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    expect(db.role).toBe("guest");
  });

  test("starts again by itself when PGlite ends", async () => {
    const db = await openHere();
    await db.query("create table t as select 1 as n");
    const guest = await openThere();
    // PGlite ends when it is to read what no client sends here.
    await expect(db.query("copy t from stdin")).rejects.toSatisfy(isTransient);
    expect(await numbers(db)).toEqual([1]);
    expect(await guest.ask({ kind: "query", sql: "select n from t" })).toEqual([{ n: 1 }]);
  });

  test("comes back when somebody cleared the temporary folder", async () => {
    const db = await openHere();
    await db.query("create table t as select 1 as n");
    const guest = await openThere();
    unlinkSync(socketIn(socketFolder(folder)));
    await expect(db.query("copy t from stdin")).rejects.toSatisfy(isTransient);
    expect(await numbers(db)).toEqual([1]);
    expect(await guest.ask({ kind: "query", sql: "select n from t" })).toEqual([{ n: 1 }]);
  });

  test("takes and gives 20 MB at a time, also through its holder", async () => {
    await openThere();
    const db = await openHere();
    const large = `${"0123456789abcdé\u2028".repeat((20 * MB) / 17)}!`;
    const { rows } = await db.query<{ back: string }>("select $1::text as back", [large]);
    expect(rows[0]!.back === large).toBe(true);
    const bytes = Buffer.alloc(20 * MB, 0xa5);
    await db.query("create table t (body bytea)");
    await db.query("insert into t values ($1)", [bytes]);
    const kept = await db.query<{ body: Buffer }>("select body from t");
    expect(kept.rows[0]!.body.equals(bytes)).toBe(true);
  });

  test("commits only what succeeded as a whole", async () => {
    const db = await openHere();
    await db.query("create table t (n int)");
    const swallowed = db.transaction(async (tx) => {
      await tx.query("insert into t values (1)");
      await tx.query("select 1 / 0").catch(() => undefined);
    });
    await expect(swallowed).rejects.toThrow("a statement failed");
    await expect(
      db.transaction(async (tx) => {
        await tx.query("insert into t values (2)");
        throw new Error("mine");
      }),
    ).rejects.toThrow("mine");
    const late = await db.transaction(async (tx) => tx);
    await expect(late.query("insert into t values (3)")).rejects.toThrow("after its end");
    expect(await numbers(db)).toEqual([]);
  });

  test("runs transactions of one process side by side with those of another", async () => {
    const db = await openHere();
    await db.query("create table t (n int)");
    await db.query("insert into t values (0)");
    const guest = await openThere();
    const add = (): Promise<unknown> =>
      db.transaction(async (tx) => {
        const { rows } = await tx.query<{ n: number }>("select n from t");
        await tx.query("update t set n = $1", [rows[0]!.n + 1]);
      });
    const there = (): Promise<unknown> => guest.ask({ kind: "query", sql: "update t set n = n + 1" });
    await Promise.all(Array.from({ length: 100 }, (_, index) => (index % 4 === 0 ? there() : add())));
    expect(await numbers(db)).toEqual([100]);
  });

  test("keeps its write-ahead log small, and knows its tables", async () => {
    const db = await openHere();
    await db.query("create table t (n int, body text)");
    const body = "x".repeat(1000);
    for (let batch = 0; batch < 200; batch += 1) {
      const from = batch * 500;
      await db.query("insert into t select n, $2 || n from generate_series($1::int, $1::int + 499) as n", [
        from,
        body,
      ]);
      if (batch % 20 === 0) await db.query("update t set body = $1 where n % 10 = 0", ["y".repeat(2000)]);
    }
    for (let n = 0; n < 1000; n += 1) await db.query("select 1");
    const { rows } = await db.query<{ known: number }>(
      "select reltuples::int as known from pg_class where relname = 't'",
    );
    expect(rows[0]!.known).toBeGreaterThan(10_000);
    const segments = readdirSync(join(folder, "pgdata/pg_wal")).filter((name) => /^[0-9A-F]{24}$/.test(name));
    expect(segments.length).toBeLessThan(120);
  });
});

/** A small disk of one's own, where the system gives one. */
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

describe.skipIf(!canMount)("an embedded database on a disk that fills up", () => {
  const source = join(import.meta.dirname, "../../database/embedded/open-embedded.ts");
  const run = (folder: string, size: string, body: string): string => {
    const script = join(folder, "script.ts");
    writeFileSync(
      script,
      `import { rmSync, writeFileSync } from "node:fs";
       import { openEmbedded } from ${JSON.stringify(source)};
       import { isTransient } from ${JSON.stringify(join(source, "../../transient.ts"))};
       const disk = ${JSON.stringify(join(folder, "disk"))};
       const say = (error) => console.log(error.code, isTransient(error));
       ${body}`,
    );
    mkdirSync(join(folder, "disk"));
    const mount = `mount -t tmpfs -o size=${size} tmpfs "$0/disk" && exec "$1" "$0/script.ts"`;
    return execFileSync("unshare", ["-rm", "sh", "-c", mount, folder, process.execPath], {
      encoding: "utf8",
      timeout: LIMIT_MS,
    });
  };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-full-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is refused with a reason", () => {
    const output = run(folder, "3m", `await openEmbedded(disk + "/log").catch(say);`);
    expect(output).toBe("ATLAS_DISK_FULL true\n");
  });

  test("fails with transient errors, keeps what it confirmed, and goes on when there is space", () => {
    const output = run(
      folder,
      "90m",
      `const ballast = disk + "/ballast";
       writeFileSync(ballast, Buffer.alloc(20 << 20));
       const db = await openEmbedded(disk + "/log");
       await db.query("create table t (n int, body text)");
       let confirmed = 0;
       let failed = 0;
       const kinds = new Set();
       while (failed < 5) {
         try {
           await db.query("insert into t select $1, string_agg(md5(g::text), '') from generate_series(1, 30000) g", [confirmed]);
           confirmed += 1;
         } catch (error) {
           failed += 1;
           kinds.add(isTransient(error));
         }
       }
       rmSync(ballast);
       for (let tries = 0; tries < 3; tries += 1) {
         try {
           await db.query("insert into t values (-1, '')");
           break;
         } catch (error) { kinds.add(isTransient(error)); }
       }
       const { rows } = await db.query("select count(*) filter (where n >= 0) as kept, min(n) as after from t");
       console.log(JSON.stringify({ lost: confirmed > rows[0].kept, some: confirmed > 5, kinds: [...kinds], after: rows[0].after }));
       await db.close();`,
    );
    expect(JSON.parse(output)).toEqual({ lost: false, some: true, kinds: [true], after: -1 });
  });
});
