import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EMBEDDED_TABLES } from "../../app/open-store.ts";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { openLeases } from "../../log/postgres/leases.ts";
import { Watch } from "../../log/postgres/watch.ts";

let folder: string;
let db: Database;
let asked: number;
let watch: Watch;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "atlas-watch-"));
  db = await openEmbedded(folder, { tables: EMBEDDED_TABLES });
  asked = 0;
  const counted: Database = {
    ...db,
    query: (...statement) => {
      asked += 1;
      return db.query(...statement);
    },
  };
  watch = new Watch(counted, 5000);
});

afterEach(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const joins = (group: string, member: string, alive = (): boolean => true): void =>
  watch.join({ group, member, alive });

const members = async (): Promise<string[]> => {
  const { rows } = await db.query<{ member: string }>("select member from atlas_log.members order by member");
  return rows.map(({ member }) => member);
};

test("one look does for all members of a process that can go by it", async () => {
  joins("rewards", "one");
  joins("drift", "two");
  const since = performance.now();
  const [first, second] = await Promise.all([watch.look(since), watch.look(since)]);
  expect(second).toBe(first);
  expect(await watch.look(since)).toBe(first);
  expect(asked).toBe(1);
  expect(await members()).toEqual(["one", "two"]);

  const later = await watch.look(performance.now());
  expect(asked).toBe(2);
  expect(later.groups.get("rewards")).toEqual([
    { partition: null, member: "one", beat: expect.any(String), recent: true },
  ]);
});

test("a look that failed is no look", async () => {
  const { query } = db;
  const since = performance.now();
  let broken = true;
  const breaking = {
    ...db,
    query: (...given: Parameters<typeof query>) =>
      broken ? Promise.reject(new Error("gone")) : query(...given),
  };
  const other = new Watch(breaking as Database, 5000);
  await expect(other.look(since)).rejects.toThrow("gone");
  broken = false;
  expect((await other.look(since)).began).toBeGreaterThanOrEqual(since);
});

test("no sign of life is given for a member that does not get on", async () => {
  let alive = true;
  joins("rewards", "one", () => alive);
  joins("rewards", "two");
  await watch.look(performance.now());
  const beats = (await watch.look(performance.now())).groups.get("rewards")!;
  alive = false;
  await watch.look(performance.now());
  const after = (await watch.look(performance.now())).groups.get("rewards")!;
  const beatOf = (rows: typeof beats, name: string) => rows.find(({ member }) => member === name)!.beat;
  const stuck = beatOf(after, "one");
  expect(beatOf((await watch.look(performance.now())).groups.get("rewards")!, "one")).toBe(stuck);
  expect(beatOf(after, "two")).not.toBe(beatOf(beats, "two"));
});

test("a member that left is not brought back by a look under way", async () => {
  let waitMs = 0;
  const slow: Database = {
    ...db,
    query: async (...statement) => {
      await sleep(waitMs);
      return db.query(...statement);
    },
  };
  watch = new Watch(slow, 5000);
  joins("rewards", "one");
  const options = { db, group: "rewards", member: "one", partitions: 2, logId: "log", sameHost: true, watch };
  const leases = openLeases(options);
  expect((await leases.renew(performance.now())).held).toEqual([0, 1]);
  waitMs = 500;
  const looking = watch.look(performance.now());
  await Promise.all([leases.release(), looking]);
  expect(await members()).toEqual([]);
});

test("what a member took since a look began, it does not lose by that look", async () => {
  joins("rewards", "one");
  const options = { db, group: "rewards", member: "one", partitions: 2, logId: "log", sameHost: true, watch };
  const leases = openLeases(options);
  const since = performance.now();
  expect((await leases.renew(since)).held).toEqual([0, 1]);
  expect((await leases.renew(since)).held).toEqual([0, 1]);
});
