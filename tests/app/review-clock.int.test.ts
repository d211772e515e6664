import { expect, test } from "vitest";
import { decisionClock } from "../../app/api/review-clock.ts";
import { decisionsOn } from "../../app/api/reviews.ts";
import type { Database } from "../../database/database.ts";
import type { SessionSummary } from "../../projections/session-summaries.ts";
import { nowMicros } from "../../schemas/identity.ts";
import { sessionWriter } from "../traces/sessions.ts";
import { folderForTest, opened } from "./opened.ts";

const HOUR = 3_600_000_000;

test("a decision by a clock that is behind stands over the one before it, and who made it is told", async () => {
  const atlas = await opened(folderForTest());
  const { emit, events } = sessionWriter("one");
  emit("SessionStarted", { task: "t", learning_key: "k", agent: "a" });
  await atlas.log.append(events.map(atlas.log.mask));
  await atlas.settled();
  const [session] = await atlas.sessions.list();
  // Somebody whose clock was right, two hours ahead of ours.
  const theirs = nowMicros() + 2 * HOUR;
  await atlas.log.append(
    decisionsOn(atlas.log, [{ ...session!, decidedAt: theirs }], "approved", { author: "ann" }),
  );
  const [quarantined] = await atlas.reviews.quarantine([session!.sessionId], { author: "bob" });
  expect(quarantined).toMatchObject({
    reviewStatus: "quarantined",
    overrode: { author: "ann", said: "approved" },
    overruledBy: null,
    clockOff: { than: "decision" },
  });
  expect(quarantined!.clockOff!.byMs).toBeLessThan(-7_000_000);
  const { changes, overruled } = await atlas.reviews.history(session!.sessionId);
  expect(changes.map(({ at }) => at)).toEqual([theirs, theirs + 1]);
  expect(overruled).toEqual([]);
});

/** A database whose clock differs from ours, with one decision. */
const databaseAt = (aheadMicros: number, decidedAt?: number) =>
  ({
    query: async (sql: string) => {
      const event = JSON.stringify({ meta: { occurred_at: decidedAt } });
      const decided = decidedAt === undefined ? [] : [{ session: "s", event }];
      const rows = sql.includes("clock_timestamp") ? [{ now: nowMicros() + aheadMicros }] : decided;
      return { rows, rowCount: rows.length };
    },
  }) as unknown as Database;

const endedAt = (micros: number) =>
  ({
    sessionId: "s",
    createdAt: new Date(0).toISOString(),
    completedAt: new Date(micros / 1000).toISOString(),
  }) as SessionSummary;

const about = (micros: number): number => expect.closeTo(micros / 1000, -4) as number;

test.each<[string, Parameters<typeof databaseAt>, number, unknown]>([
  ["nothing odd", [0], -HOUR, null],
  ["what clocks of a network differ by", [30_000_000, nowMicros() + 30_000_000], 30_000_000, null],
  ["a clock behind the database's", [HOUR], -HOUR, { byMs: about(-HOUR), than: "database" }],
  ["a clock ahead of the database's", [-HOUR], -HOUR, { byMs: about(HOUR), than: "database" }],
  ["a session that ends later", [0], 3 * HOUR, { byMs: about(-3 * HOUR), than: "session" }],
  ["a later decision", [0, nowMicros() + HOUR], -HOUR, { byMs: about(-HOUR), than: "decision" }],
])("%s", async (_what, database, ended, expected) => {
  const clock = await decisionClock(databaseAt(...database), ["s"]);
  expect(clock.offOf(endedAt(nowMicros() + ended))).toEqual(expected);
  expect(clock.timeOf("s")).toBeGreaterThan(database[1] ?? 0);
  expect(clock.timeOf("other")).toBeLessThanOrEqual(nowMicros());
});
