import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openAtlas } from "../../app/open-atlas.ts";
import { startReaper } from "../../app/reaper.ts";
import type { EventLog } from "../../log/event-log.ts";
import { createRecorder } from "../../recording/recorder.ts";
import type { SessionAbandoned } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { eventually } from "../eventually.ts";
import { looks } from "../looks.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-reaper-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR = 3_600_000_000;

async function abandonedIn(log: EventLog): Promise<SessionAbandoned[]> {
  const found: SessionAbandoned[] = [];
  for await (const batch of log.read(["atlas.sessions"])) {
    for (const { event } of batch) if (event.type === "SessionAbandoned") found.push(event);
  }
  return found;
}

/** Records the start of a session, and its end where it has one. */
async function session(log: EventLog, deadline: number | null, ended: boolean): Promise<string> {
  const recorder = createRecorder({ log, sessionId: newId() });
  recorder.emit("SessionStarted", { task: "t", learning_key: "k", agent: "mine", deadline });
  if (ended) recorder.emit("SessionEnded", { learning_key: "k", status: "succeeded" });
  await recorder.flush();
  return recorder.sessionId;
}

test("a session past its deadline without an end is abandoned once, however many look for it", async () => {
  await using atlas = await openAtlas({ log: { kind: "embedded", path: join(folder, "home") } });
  const { log, db, host } = atlas;
  const deadline = nowMicros() + HOUR;
  const late = await session(log, deadline, false);
  await session(log, deadline, true);
  await session(log, null, false);
  const later = await session(log, deadline + 2 * HOUR, false);
  await atlas.settled();

  let now = deadline - 1;
  const options = { everyMs: 20, clock: () => now };
  const reapers = [1, 2].map(() => startReaper(log, host!.pipeline, options));
  await looks("reaper", 2);
  expect(await abandonedIn(log)).toEqual([]);

  now = deadline + 1;
  await eventually(async () => expect(await abandonedIn(log)).not.toEqual([]));
  await atlas.settled();
  await looks("reaper", 2);
  await Promise.all(reapers.map((reaper) => reaper.stop()));

  const events = await abandonedIn(log);
  expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(1);
  expect(events[0]).toMatchObject({
    deadline,
    learning_key: "k",
    meta: { session_id: late, source: `reaper/${late}`, sequence: 1, occurred_at: deadline },
  });
  const { rows } = await db.query<{ id: string; status: string; incomplete: boolean }>(
    "select session_uuid::text as id, status, incomplete from sessions where status in ('abandoned', 'running')",
  );
  const of = (id: string) => rows.find((row) => row.id === id);
  expect(rows).toHaveLength(3);
  expect(of(late)).toMatchObject({ status: "abandoned", incomplete: false });
  expect(of(later)).toMatchObject({ status: "running" });
  const counted = await db.query<{ count: number }>(
    "select count(*)::int as count from trajectory_events where type = 'SessionAbandoned'",
  );
  expect(counted.rows[0]?.count).toBe(1);
});

test("nothing is abandoned while this process holds events back", async () => {
  await using atlas = await openAtlas({ log: { kind: "embedded", path: join(folder, "holding") } });
  await session(atlas.log, 1, false);
  await atlas.settled();
  let holding = true;
  const reaper = startReaper(atlas.log, atlas.host!.pipeline, { everyMs: 20, isHolding: () => holding });
  await looks("reaper");
  expect(await abandonedIn(atlas.log)).toEqual([]);
  holding = false;
  await eventually(async () => expect(await abandonedIn(atlas.log)).toHaveLength(1));
  await reaper.stop();
});
