import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { isTransient } from "../../database/transient.ts";
import type { EventLog } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { newId } from "../../schemas/identity.ts";
import { LIMIT_MS } from "../eventually.ts";
import { facts } from "../log/facts.ts";
import { freshPrefix } from "../log/kafka-under-test.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { startGate, type TcpGate } from "./tcp-gate.ts";

/** How long an answer is waited for here: half a minute unless told. */
const LIMIT = { limitMs: 500 };

const logs = (await missing("kafka")) ? ["postgres"] : ["postgres", "kafka"];

describe.skipIf(await missing("postgres"))("a connection whose other end is gone, and nobody said so", () => {
  let url: string;
  let behind: string;
  let gate: TcpGate;

  beforeAll(async () => {
    ({ url } = await postgres());
    const address = new URL(url);
    gate = await startGate(Number(address.port));
    address.port = String(gate.port);
    behind = address.href;
  });
  afterAll(() => gate?.[Symbol.asyncDispose]());

  const openAs = async (kind: string, db: Database, prefix: string): Promise<EventLog> => {
    if (kind === "postgres") return openPostgresLog({ db });
    return openKafkaLog({ ...(await kafka()), db, topicPrefix: prefix });
  };

  test("costs a statement its limit, and is replaced", async () => {
    const db = await openPostgres(behind, { ...LIMIT, max: 1 });
    onTestFinished(() => db.close());
    gate.freeze();
    const error: unknown = await db.query("select 1").catch((thrown: unknown) => thrown);
    expect(isTransient(error)).toBe(true);
    expect((await db.query<{ one: number }>("select 1 as one")).rows).toEqual([{ one: 1 }]);
    gate.freeze();
    await expect(db.transaction((tx) => tx.query("select 1"))).rejects.toThrow(/timeout/i);
    expect((await db.query<{ one: number }>("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test.each(logs)("costs a consumer on %s seconds, and nothing is lost", async (kind) => {
    const prefix = freshPrefix();
    const direct = await openPostgres(url);
    const db = await openPostgres(behind, LIMIT);
    const appending = await openAs(kind, direct, prefix);
    const log = await openAs(kind, db, prefix);
    onTestFinished(async () => {
      await log.close();
      await appending.close();
      await db.close();
      await direct.close();
    });
    const sessions = Array.from({ length: 12 }, newId);
    const applied: string[] = [];
    const troubles: unknown[] = [];
    const group = `half-open-${kind}-${prefix}`;
    await log.consume(
      { group, topics: ["atlas.sessions"], db, onRetry: (error) => void troubles.push(error) },
      async (batch, { tx }) => {
        await tx.query("select 1");
        for (const { key, event } of batch)
          if (sessions.includes(key)) applied.push(`${key}#${event.meta.sequence}`);
      },
    );
    const append = (from: number): Promise<void> =>
      appending.append(sessions.flatMap((session) => facts(session, 3, from)).map(appending.mask));
    const caughtUp = async (): Promise<void> =>
      appending.caughtUp(group, await appending.ends(["atlas.sessions"]), { timeoutMs: LIMIT_MS });
    await append(1);
    await caughtUp();
    gate.freeze();
    await append(4);
    await caughtUp();
    const wanted = sessions.flatMap((session) =>
      [1, 2, 3, 4, 5, 6].map((sequence) => `${session}#${sequence}`),
    );
    expect([...new Set(applied)].sort()).toEqual(wanted.sort());
    expect(troubles.some((error) => error !== undefined && isTransient(error))).toBe(true);
  });

  test("holds up neither the end of a consumer nor that of its database for long", async () => {
    const db = await openPostgres(behind, { limitMs: 600_000 });
    const log = await openPostgresLog({ db });
    const asked = Promise.withResolvers<void>();
    await log.append(facts(newId(), 1).map(log.mask));
    await log.consume({ group: `hung-${newId()}`, topics: ["atlas.sessions"] }, async (_, { tx }) => {
      gate.freeze();
      asked.resolve();
      await tx.query("select 1");
    });
    await asked.promise;
    await log.close();
    await db.close();
  });
});
