import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Session, sessionOf } from "../../database/embedded/session.ts";
import { startup } from "../../database/embedded/wire-messages.ts";
import { serve, type WireServer } from "../../database/embedded/wire-server.ts";
import { LIMIT_MS } from "../eventually.ts";

const IDLE_MS = 300;

/** Messages of the extended protocol, as a client sends them. */
const message = (type: string, ...parts: (string | number[])[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const parse = (sql: string): Buffer => message("P", `\0${sql}\0`, [0, 0]);
const SYNC = message("S");

describe("the server in front of PGlite", () => {
  let database: PGlite;
  let session: Session;
  let folder: string;
  let server: WireServer;
  const clients: (pg.Client | Socket)[] = [];

  const client = async (): Promise<pg.Client> => {
    const made = new pg.Client({
      host: folder,
      port: 5432,
      user: "postgres",
      database: "postgres",
      ssl: false,
    });
    made.on("error", () => undefined);
    await made.connect();
    clients.push(made);
    return made;
  };
  /** A socket on which a session was started. */
  const raw = async (): Promise<Socket> => {
    const socket = connect(join(folder, ".s.PGSQL.5432"));
    socket.on("error", () => undefined);
    clients.push(socket);
    socket.write(startup({ user: "postgres" }));
    await once(socket, "data");
    return socket;
  };

  beforeAll(async () => {
    database = await PGlite.create();
    session = sessionOf(database, (reason) => {
      throw new Error(reason);
    });
  });
  afterAll(() => database.close());

  const start = async (idleInTransactionMs: number): Promise<void> => {
    folder = mkdtempSync(join(tmpdir(), "atlas-wire-"));
    server = await serve({
      session,
      path: join(folder, ".s.PGSQL.5432"),
      between: async () => undefined,
      idleInTransactionMs,
      onBroken: (error) => {
        throw error;
      },
    });
  };
  const stop = async (): Promise<void> => {
    for (const each of clients.splice(0)) {
      if (each instanceof pg.Client) await each.end().catch(() => undefined);
      else each.destroy();
    }
    await server.stop();
    rmSync(folder, { recursive: true });
  };

  beforeEach(async () => {
    await start(LIMIT_MS);
    const setup = await client();
    await setup.query("drop table if exists t; create table t (n int)");
  });
  afterEach(stop);

  test("gives every client its own answers, whatever the others do at the same time", async () => {
    const ask = async (name: string): Promise<void> => {
      const mine = await client();
      for (let n = 0; n < 100; n += 1) {
        if (n % 10 === 3)
          await expect(mine.query("select $1::int / 0", [n])).rejects.toThrow("division by zero");
        if (n % 10 === 7) await expect(mine.query("select no_such($1)", [n])).rejects.toThrow("no_such");
        const { rows } = await mine.query(`select $1::text as who, $2::int as "${name}"`, [name, n]);
        expect(rows).toEqual([{ who: name, [name]: n }]);
      }
    };
    await Promise.all(["a", "b", "c", "d", "e"].map(ask));
  });

  test("runs nothing between the statements of a transaction", async () => {
    const [one, two] = [await client(), await client()];
    await one.query("begin");
    await one.query("insert into t values (1)");
    const counted = two.query("select count(*)::int as n from t");
    // Who connects after it has been heard.
    await client();
    await one.query("insert into t values (2)");
    await one.query("commit");
    expect((await counted).rows).toEqual([{ n: 2 }]);
  });

  test("connects clients while another's transaction is open", async () => {
    const one = await client();
    await one.query("begin");
    await expect(client()).resolves.toBeInstanceOf(pg.Client);
    await one.query("rollback");
  });

  test("rolls back at once what a client that went away had begun", async () => {
    const [one, two] = [await client(), await client()];
    await one.query("begin");
    await one.query("insert into t values (1)");
    const counted = two.query("select count(*)::int as n from t");
    (one as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    expect((await counted).rows).toEqual([{ n: 0 }]);
  });

  test("serves the others when a client leaves in the middle of a statement", async () => {
    for (const bytes of [
      parse("insert into t values (1)"),
      Buffer.concat([parse("select no_such_column"), message("B", "\0\0", [0, 0, 0, 0, 0, 0])]),
      message("Q", "insert into t values (2)\0").subarray(0, 12),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    ]) {
      const socket = await raw();
      socket.write(bytes);
      await (await client()).query("select 1");
      socket.destroy();
      const other = await client();
      expect((await other.query("select count(*)::int as n from t where n > $1", [0])).rows).toEqual([
        { n: 0 },
      ]);
    }
  });

  test("runs a statement only when all of it is there", async () => {
    const socket = await raw();
    const other = await client();
    socket.write(parse("select no_such_column"));
    await client();
    expect((await other.query("select $1::int as n", [5])).rows).toEqual([{ n: 5 }]);
    socket.write(SYNC);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString("latin1")).toContain("no_such_column");
    expect(answer.subarray(-6).toString("latin1")).toBe("Z\0\0\0\u0005I");
  });

  test("takes a message byte by byte", async () => {
    const socket = await raw();
    const answered = once(socket, "data");
    for (const byte of message("Q", "select 42 as answer\0")) {
      socket.write(Buffer.of(byte));
      await setImmediate();
    }
    const [answer] = (await answered) as [Buffer];
    expect(answer.toString("latin1")).toContain("42");
  });

  test("ends a transaction that does nothing while others wait, and says so", async () => {
    await stop();
    await start(IDLE_MS);
    const [one, two] = [await client(), await client()];
    await one.query("begin");
    await one.query("insert into t values (1)");
    await sleep(2 * IDLE_MS);
    await one.query("insert into t values (2)");
    const ended = new Promise((resolve) => one.once("end", resolve));
    const told = new Promise<Error>((resolve) => one.once("error", resolve));
    const counted = async (who: pg.Client): Promise<unknown> =>
      (await who.query("select count(*)::int as n from t")).rows[0];
    const first = counted(two);
    let isOver = false;
    void first.finally(() => {
      isOver = true;
    });
    const counts: Promise<unknown>[] = [];
    // If whoever comes later put the end off, it would never come.
    while (!isOver) {
      counts.push(client().then(counted));
      await sleep(IDLE_MS / 3);
    }
    expect(await first).toEqual({ n: 0 });
    expect(await Promise.all(counts)).toEqual(counts.map(() => ({ n: 0 })));
    expect(await told).toMatchObject({ code: "25P03" });
    await ended;
    await expect(one.query("commit")).rejects.toThrow(/not queryable|terminated|closed/);
  });

  test("disconnects everybody when it stops, and leaves no transaction open", async () => {
    const [one, two] = [await client(), await client()];
    await one.query("begin");
    await one.query("insert into t values (1)");
    const waiting = two.query("select 1");
    await Promise.all([expect(waiting).rejects.toThrow(/terminated|ECONNRESET/), server.stop()]);
    expect(database.isInTransaction()).toBe(false);
    expect((await database.query("select count(*)::int as n from t")).rows).toEqual([{ n: 0 }]);
  });
});
