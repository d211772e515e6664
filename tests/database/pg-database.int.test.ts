import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { isTransient } from "../../database/transient.ts";
import { explain } from "../../errors/atlas-error.ts";
import { eventually } from "../eventually.ts";
import { type PostgresInstance, startPostgres } from "../services/native/postgres.ts";
import { nativeMissing } from "../services/services.ts";
import { sideBySide } from "../side-by-side.ts";

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  );

describe("a URL that leads nowhere", () => {
  test("is told without its password", async () => {
    const error = await failure(openPostgres("postgresql://me:hunter2@127.0.0.1:1/db?sslpassword=hunter3"));
    expect(error).toMatchObject({
      code: "ATLAS_DATABASE_UNREACHABLE",
      where: "postgresql://me@127.0.0.1:1/db",
      retryable: true,
    });
    expect(explain(error)).toContain("ECONNREFUSED");
    expect(explain(error)).not.toMatch(/hunter|\n/);
  });

  test.each(["nonsense:hunter2", "mysql://me:hunter2@localhost/db", "postgresql://me:hun ter2@[/"])(
    "is refused when it is none of Postgres",
    async (url) => {
      const error = await failure(openPostgres(url));
      expect(error).toMatchObject({ code: "ATLAS_CONFIG_INVALID", retryable: false });
      expect(explain(error)).not.toContain("hunter2");
    },
  );
});

test("a connection asks for nothing that a pooler refuses", async () => {
  const asked = Promise.withResolvers<string[]>();
  await using server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (packet) => {
      // A length, the protocol's version, then names and values.
      asked.resolve(packet.subarray(8).toString("latin1").split("\0"));
      socket.destroy();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await failure(openPostgres(`postgresql://me@127.0.0.1:${port}/db`));
  const names = (await asked.promise).filter((name, index) => index % 2 === 0 && name !== "");
  // What PgBouncer takes without being configured to.
  const taken = ["user", "database", "client_encoding", "application_name"];
  expect(names.filter((name) => !taken.includes(name))).toEqual([]);
  expect(names).toContain("user");
});

describe.skipIf(await nativeMissing("postgres"))("a Postgres server", () => {
  let server: PostgresInstance;
  let db: Database;

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    db = await openPostgres(server.url, { max: 3 });
    await db.query("drop table if exists t; create table t (n int8 primary key)");
  });
  afterEach(() => db.close());

  const numbers = async (): Promise<unknown[]> =>
    (await db.query<{ n: unknown }>("select n from t order by n")).rows.map((row) => row.n);
  const changed = (change: (url: URL) => void): string => {
    const url = new URL(server.url);
    change(url);
    return url.href;
  };

  test("says which part of the URL it refused", async () => {
    const noDatabase = await failure(openPostgres(changed((url) => (url.pathname = "/nowhere"))));
    expect(noDatabase).toMatchObject({ code: "ATLAS_DATABASE_UNREACHABLE", retryable: false });
    expect(explain(noDatabase)).toContain("Create the database");
    const wrongPassword = await failure(openPostgres(changed((url) => (url.password = "wrong"))));
    expect(wrongPassword).toMatchObject({ code: "ATLAS_DATABASE_UNREACHABLE", retryable: false });
    expect(explain(wrongPassword)).toContain("Correct the user or password");
  });

  test("gives numbers for int8 where they are exact, and dates for timestamps", async () => {
    const { rows, rowCount } = await db.query(
      `select 9007199254740991::int8 as safe, 9007199254740993::int8 as large, '{1,null,{-2}}'::text as text,
              '{{1},{9007199254740993}}'::int8[] as many, null::int8 as none, $1::timestamptz as at, count(*) as counted from t`,
      [new Date(5)],
    );
    expect(rowCount).toBe(1);
    expect(rows).toEqual([
      {
        safe: Number.MAX_SAFE_INTEGER,
        large: "9007199254740993",
        text: "{1,null,{-2}}",
        many: [[1], ["9007199254740993"]],
        none: null,
        at: new Date(5),
        counted: 0,
      },
    ]);
  });

  test("a transaction that is left alone ends, and the connection keeps the server's own setting", async () => {
    const setting = "select current_setting('idle_in_transaction_session_timeout') as value";
    const inside = await db.transaction((tx) => tx.query<{ value: string }>(setting));
    expect(inside.rows[0]?.value).toBe("15s");
    expect((await db.query<{ value: string }>(setting)).rows[0]?.value).toBe("0");
  });

  test("answers several statements with the last one's rows", async () => {
    expect(await db.query("insert into t values (1); select n from t")).toEqual({
      rows: [{ n: 1 }],
      rowCount: 1,
    });
  });

  test("commits what succeeds as a whole, and nothing else", async () => {
    expect(await db.transaction(async (tx) => (await tx.query("insert into t values (1)")).rowCount)).toBe(1);
    const thrown = db.transaction(async (tx) => {
      await tx.query("insert into t values (2)");
      throw new Error("mine");
    });
    await expect(thrown).rejects.toThrow("mine");
    const swallowed = db.transaction(async (tx) => {
      await tx.query("insert into t values (3)");
      await failure(tx.query("insert into t values (1)"));
    });
    await expect(swallowed).rejects.toThrow("a statement failed");
    const side = db.transaction((tx) =>
      Promise.all([4, 5].map((n) => tx.query("insert into t values ($1)", [n]))),
    );
    await side;
    expect(await numbers()).toEqual([1, 4, 5]);
  });

  test("lets a transaction be used until its end only", async () => {
    const late = await db.transaction(async (tx) => tx);
    await expect(late.query("select 1")).rejects.toThrow("after its end");
  });

  test("works on when its idle connections are ended", async () => {
    await Promise.all([1, 2, 3].map((n) => db.query("select pg_sleep(0.05), $1::int", [n])));
    const other = await openPostgres(server.url);
    await other.query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()");
    await other.close();
    expect(await eventually(numbers)).toEqual([]);
  });

  test("fails a transaction whose connection is ended with a transient error", async () => {
    const error = await failure(
      db.transaction(async (tx) => {
        await tx.query("insert into t values (1)");
        const { rows } = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
        await db.query("select pg_terminate_backend($1)", [rows[0]!.pid]);
        await eventually(async () => {
          const left = "select 1 from pg_stat_activity where pid = $1";
          expect((await db.query(left, [rows[0]!.pid])).rows).toEqual([]);
        });
        await tx.query("insert into t values (2)");
      }),
    );
    expect(isTransient(error)).toBe(true);
    expect(await numbers()).toEqual([]);
  });

  test("is found again after a crash", async () => {
    await db.query("insert into t values (1)");
    const inFlight = failure(db.query("select pg_sleep(600)"));
    await eventually(async () => {
      const running =
        "select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(600)'";
      expect((await db.query(running)).rows).toHaveLength(1);
    });
    await server.kill();
    expect(isTransient(await inFlight)).toBe(true);
    expect(isTransient(await failure(db.query("select 1")))).toBe(true);
    await server.restart();
    expect(await numbers()).toEqual([1]);
  });

  test("is used by no more connections than allowed, in turn", async () => {
    const { work } = sideBySide(3, 12);
    const counted = await Promise.all(
      Array.from({ length: 12 }, () =>
        db.transaction(async (tx) => {
          await work(undefined);
          const { rows } = await tx.query<{ n: number }>(
            "select count(*) as n from pg_stat_activity where application_name = 'atlas-sdk'",
          );
          return rows[0]!.n;
        }),
      ),
    );
    expect(counted.toSorted((a, b) => a - b).at(-1)).toBe(3);
  });

  test("finishes what runs when it is closed, and takes no more", async () => {
    const own = await openPostgres(server.url, { max: 1 });
    const running = Promise.all([1, 2, 3].map((n) => own.query("insert into t values ($1)", [n])));
    await own.close();
    await own.close();
    await running;
    expect(await numbers()).toEqual([1, 2, 3]);
    await expect(own.query("select 1")).rejects.toMatchObject({ code: "ATLAS_LOG_CLOSED" });
  });
});
