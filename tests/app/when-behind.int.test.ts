import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Atlas, openConfigured } from "../../app/open-atlas.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { isSettled } from "../../derivation/stage-list.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import { createEvent } from "../../schemas/codec.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-behind-"));
const config = loadConfig({ log: { kind: "embedded", path: join(folder, ".atlas") } });
/** Holds the folder, so that opening it again costs little; hosts nothing. */
let holder: Atlas;

beforeAll(async () => {
  holder = await openConfigured(config, { consumers: false });
});
afterAll(async () => {
  await holder.close();
  rmSync(folder, { recursive: true, force: true });
});

async function asking<T>(body: (atlas: Atlas) => Promise<T>): Promise<T> {
  const atlas = await openConfigured(config, { consumers: "when-behind" });
  try {
    return await body(atlas);
  } finally {
    await atlas.close();
  }
}

const start = (task: string) => {
  const id = newId();
  return createEvent(
    "SessionStarted",
    {
      event_id: newId(),
      session_id: id,
      source: id,
      sequence: 1,
      occurred_at: nowMicros(),
      time_assumed: false,
    },
    { task, learning_key: "key", agent: "mine" },
  );
};

test("who only asks starts consumers where they are behind, and none where all is applied", async () => {
  // An empty log has been applied as far as it goes.
  await asking(async (atlas) => {
    await atlas.settled();
    expect(atlas.host?.pipeline).toBeUndefined();
  });

  await holder.log.append([holder.log.mask(start("first"))]);
  expect(await isSettled(holder.log)).toBe(false);
  await asking(async (atlas) => {
    expect(atlas.host?.pipeline).toBeUndefined();
    await atlas.settled();
    expect(atlas.host?.pipeline).toBeDefined();
    expect(await listSessions(atlas.db)).toMatchObject([{ task: "first" }]);
  });
  expect(await isSettled(holder.log)).toBe(true);

  await asking(async (atlas) => {
    await atlas.settled();
    expect(atlas.host?.pipeline).toBeUndefined();
    expect(await listSessions(atlas.db)).toMatchObject([{ task: "first" }]);
    // What comes in while one looks is waited for as well.
    await holder.log.append([holder.log.mask(start("second"))]);
    await atlas.settled();
    expect(atlas.host?.pipeline).toBeDefined();
    expect(await listSessions(atlas.db)).toHaveLength(2);
  });
});

test("a checkpoint beyond the log's end is not settled: the log is another one than was read", async () => {
  expect(await isSettled(holder.log)).toBe(true);
  const { rowCount } = await holder.db.query(
    "update atlas_log.checkpoints set next_offset = next_offset + 1 where group_id like 'session-rewards@%'",
  );
  expect(rowCount).toBeGreaterThan(0);
  expect(await isSettled(holder.log)).toBe(false);
});
