import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type EmbeddedDatabase, openEmbedded } from "../../database/embedded/open-embedded.ts";
import type { Consumer, EventLog } from "../../log/event-log.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { newId } from "../../schemas/identity.ts";
import { DEFAULT_PARTITIONS } from "../../schemas/partition.ts";
import { facts } from "./facts.ts";

const HOUR_MS = 3_600_000;
const PATIENT = { timeout: 30_000 };

let folder: string;
let db: EmbeddedDatabase;
let log: EventLog;
const consumers: Consumer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atlas-clock-"));
  db = await openEmbedded(folder);
  log = await openPostgresLog({ db, embedded: true });
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const consumer of consumers.splice(0)) await consumer.stop();
});
afterAll(async () => {
  await log.close();
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const consume = async (group: string): Promise<Consumer> => {
  const consumer = await log.consume({ group, topics: ["atlas.sessions"] }, async () => undefined);
  consumers.push(consumer);
  return consumer;
};

function setClock(byMs: number): void {
  const now = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => now() + byMs);
}

test("after the clock was set back by an hour, members still share out their partitions", async () => {
  const first = await consume("set-back");
  await vi.waitFor(() => expect(first.assignments).toHaveLength(DEFAULT_PARTITIONS), PATIENT);
  setClock(-HOUR_MS);
  const second = await consume("set-back");
  const half = DEFAULT_PARTITIONS / 2;
  await vi.waitFor(
    () => expect([first, second].map(({ assignments }) => assignments.length)).toEqual([half, half]),
    PATIENT,
  );
});

test("after the clock was set back by an hour, a subscription still takes its partitions", async () => {
  const session = newId();
  await log.append(facts(session, 1).map(log.mask));
  setClock(-HOUR_MS);
  for await (const event of log.subscribe({ group: "subscribed", topics: ["atlas.sessions"] })) {
    expect(event.meta.source).toBe(session);
    break;
  }
});

test("a lease from before the database's clock was set back does not hold for ever", async () => {
  const first = await consume("foreign");
  await first.stop();
  const elsewhere = "elsewhere:1:00000000";
  await db.query("insert into atlas_log.members values ('foreign', $1, now() + interval '1 hour')", [
    elsewhere,
  ]);
  await db.query(
    `update atlas_log.assignments set member = $1
      where group_id = 'foreign'`,
    [elsewhere],
  );
  const second = await consume("foreign");
  await vi.waitFor(() => expect(second.assignments).toHaveLength(DEFAULT_PARTITIONS), PATIENT);
});
