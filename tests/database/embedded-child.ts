// A process with a handle on an embedded database that does what it is told over IPC, until it is killed.
import { setTimeout as sleep } from "node:timers/promises";
import {
  type EmbeddedDatabase,
  type EmbeddedOptions,
  openEmbedded,
} from "../../database/embedded/open-embedded.ts";
import { isTransient } from "../../database/transient.ts";
import { messageOf } from "../../errors/atlas-error.ts";

/** What the process can be told to do. */
export type Order =
  | { kind: "open"; folder: string; options?: EmbeddedOptions }
  | { kind: "who" }
  | { kind: "query"; sql: string; params?: unknown[] }
  /** Begins a transaction, runs a statement in it and leaves it open. */
  | { kind: "hang"; sql: string }
  /** Inserts one number after the other until told to stop, trying again after transient errors. */
  | { kind: "hammer"; table: string; from: number }
  /** Stops inserting, and returns which numbers were confirmed. */
  | { kind: "rest" }
  | { kind: "close" };

/** What came of it. */
export type Answer =
  | { id: number; result: unknown }
  | { id: number; failure: { message: string; code?: string | undefined; transient: boolean } };

let db: EmbeddedDatabase;
let hammering: Promise<{ confirmed: number[]; failures: string[] }> | undefined;
let resting = false;

async function hammer(table: string, from: number): Promise<{ confirmed: number[]; failures: string[] }> {
  const confirmed: number[] = [];
  const failures: string[] = [];
  for (let n = from; !resting; n += 1) {
    try {
      if (n % 2 === 0) await db.query(`insert into ${table} values ($1)`, [n]);
      else await db.transaction((tx) => tx.query(`insert into ${table} values ($1)`, [n]));
      confirmed.push(n);
    } catch (error) {
      failures.push(messageOf(error));
      if (!isTransient(error)) throw error;
    }
    await sleep(1);
  }
  return { confirmed, failures };
}

async function follow(order: Order): Promise<unknown> {
  switch (order.kind) {
    case "open":
      db = await openEmbedded(order.folder, order.options);
      return undefined;
    case "who":
      return { role: db.role, holder: db.holder };
    case "query":
      return (await db.query(order.sql, order.params)).rows;
    case "hang":
      return new Promise((resolve, reject) => {
        db.transaction(async (tx) => {
          await tx.query(order.sql);
          resolve(undefined);
          await new Promise(() => undefined);
        }).catch(reject);
      });
    case "hammer":
      resting = false;
      hammering = hammer(order.table, order.from);
      hammering.catch(() => undefined);
      return undefined;
    case "rest":
      resting = true;
      return hammering;
    case "close":
      return db.close();
  }
}

process.on("message", ({ id, order }: { id: number; order: Order }) => {
  follow(order).then(
    (result) => process.send?.({ id, result } satisfies Answer),
    (error: unknown) => {
      const { code } = error as { code?: string };
      const failure = { message: messageOf(error), code, transient: isTransient(error) };
      process.send?.({ id, failure } satisfies Answer);
    },
  );
});
