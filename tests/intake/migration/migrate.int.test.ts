import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Atlas } from "../../../app/open-atlas.ts";
import type { Database } from "../../../database/database.ts";
import { openPostgres } from "../../../database/pg-database.ts";
import { readOldSessions } from "../../../intake/migration/read-database.ts";
import { getTrainingSessions } from "../../../projections/training-data.ts";
import { approveAll, exportedFrom, folderForTest, opened } from "../../app/opened.ts";
import { eventsIn, eventsOf } from "../../as-readers.ts";
import { missing, postgres } from "../../services/services.ts";
import { fillOldDatabase } from "./old-database.ts";

const sessionsOf = async ({ db, settled }: Atlas) => {
  await settled();
  return getTrainingSessions(db, { reviewStatusFilters: ["pending", "approved", "quarantined"] });
};

describe.skipIf(await missing("postgres"))("sessions of the Python SDK", () => {
  let url: string;
  let old: Database;

  beforeAll(async () => {
    ({ url } = await postgres());
    old = await openPostgres(url);
    await fillOldDatabase(old);
    return () => old.close();
  });

  test("are taken over from its database with all that was known of them", async () => {
    const atlas = await opened(folderForTest());
    const summary = await atlas.sessions.migrate({ from: { databaseUrl: url } });
    expect(summary).toMatchObject({ sessions: 3, skippedSessions: 0, malformed: 1 });
    expect(summary.problems).toEqual([
      { file: old.address, line: 9, reason: 'it has not ended: its status is "running"' },
    ]);

    const sessions = await sessionsOf(atlas);
    const [unjudged, whole, failed] = sessions;
    expect(sessions.map(({ task }) => task)).toEqual(["Nobody judged this", "Review the login", "Summarise"]);
    expect(whole).toMatchObject({
      finalAnswer: "SQL injection through `name`.",
      learningKey: "security",
      reviewStatus: "approved",
    });
    expect(whole!.reward?.score).toBeCloseTo(0.8, 12);
    expect(whole!.steps.map(({ attempts, guidance }) => [attempts, guidance])).toEqual([
      [1, []],
      [2, ["Name the parameter."]],
    ]);
    expect(unjudged!.reward).toBeNull();
    expect(failed!.reviewStatus).toBe("quarantined");

    const [judged] = await eventsOf(atlas.log, "atlas.sessions", "JudgementFailed");
    expect(judged?.reason).toBe("every call of the judge had failed");
    const foreign = await eventsOf(atlas.log, "atlas.sessions", "ForeignEventRecorded");
    expect(foreign.map(({ meta }) => meta.occurred_at)).toEqual([1767323046500000, 1767323050250000]);
    expect(foreign[0]!.event).toContain("12345678901234567");
    const [playbook] = await eventsOf(atlas.log, "atlas.learning", "PlaybookRevised");
    expect(playbook).toMatchObject({ learning_key: "security", audience: "student", revision: 1 });
  });

  test("are there once, however often they are taken over", async () => {
    const atlas = await opened(folderForTest());
    await atlas.sessions.migrate({ from: { databaseUrl: url } });
    const count = async () =>
      (await eventsIn(atlas.log, "atlas.sessions", "atlas.learning", "atlas.decisions")).length;
    const before = await count();
    const again = await atlas.sessions.migrate({ from: { databaseUrl: url } });
    expect(again).toMatchObject({ sessions: 0, events: 0, skippedSessions: 3 });
    expect(await count()).toBe(before);
  });

  test("give the same training data from an export as from the database, whatever the order of its lines", async () => {
    const lines: string[] = [];
    for await (const { text } of readOldSessions(old)) lines.push(text);
    const file = join(folderForTest(), "old.jsonl");
    writeFileSync(file, `${lines.toReversed().join("\n")}\n\nnot json\n`);

    const fromFile = await opened(folderForTest());
    const summary = await fromFile.sessions.migrate({ from: { file } });
    expect(summary.problems.map(({ line, reason }) => [line, reason])).toEqual([
      [1, 'it has not ended: its status is "running"'],
      [6, "it is not valid JSON"],
    ]);
    const fromDatabase = await opened(folderForTest());
    await fromDatabase.sessions.migrate({ from: { databaseUrl: url } });
    await approveAll(fromFile);
    await approveAll(fromDatabase);
    expect(await exportedFrom(fromFile)).toBe(await exportedFrom(fromDatabase));
  });

  test("leave the old database as it was", async () => {
    const state = async () =>
      (await old.query("select count(*), max(xmin::text::bigint) from sessions")).rows;
    const before = await state();
    const atlas = await opened(folderForTest());
    await atlas.sessions.migrate({ from: { databaseUrl: url } });
    expect(await state()).toEqual(before);
  });
});
