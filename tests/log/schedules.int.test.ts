import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { newId } from "../../schemas/identity.ts";
import { missing, postgres } from "../services/services.ts";
import { facts } from "./facts.ts";
import { type Double, FAULTS, HALVES, stories, tell, type World } from "./schedules.ts";

/** `npm run soak:schedules` asks for 50,000. */
const RUNS = Number(process.env["ATLAS_SCHEDULES"] ?? 1000);
/** Stories that are told at a time, so that none waits for the answers to another. */
const LANES = 8;

describe.skipIf(await missing("postgres"))("under every schedule of two or three owners", () => {
  let db: Database;
  let world: World;

  beforeAll(async () => {
    db = await openPostgres((await postgres()).url, { max: 4 * LANES });
    const log = await openPostgresLog({ db });
    await db.query("create table echoes (group_id text, sequence int)");
    await log.append(facts(newId(), 3).map(log.mask));
    const input: World["input"][number][] = [];
    for await (const batch of log.readRaw(["atlas.sessions"])) for (const record of batch) input.push(record);
    world = { db, logId: log.id, partitions: log.partitions, input };
    await log.close();
  });
  afterAll(() => db?.close());

  /** What went wrong in the first story that did not end well. */
  async function firstFault(runs: number, double?: Double): Promise<string | undefined> {
    let found: string | undefined;
    const property = fc.asyncProperty(stories, async (story) => {
      if (found !== undefined) return;
      const wrong = await tell(world, story, double);
      expect(wrong, String(story.scheduler)).toEqual([]);
    });
    const lane = async (): Promise<void> => {
      const numRuns = Math.ceil(runs / LANES);
      const { failed, errorInstance, seed } = await fc.check(property, { numRuns, endOnFailure: true });
      if (failed) found ??= `seed ${seed}: ${String(errorInstance)}`;
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return found;
  }

  test("each record is applied once, and what comes of it is published once and in order", async () => {
    expect(await firstFault(RUNS)).toBeUndefined();
  });

  test.each(Object.entries(FAULTS))("is found, were it still there: %s", async (_, double) => {
    expect(await firstFault(1000, double)).toBeDefined();
  });

  test.each(Object.entries(HALVES))("does no harm by itself: %s", async (_, double) => {
    expect(await firstFault(RUNS / 5, double)).toBeUndefined();
  });
});
