import { join } from "node:path";
import { expect, test } from "vitest";
import { exportDataset } from "../../app/export-dataset.ts";
import { rebuild } from "../../app/rebuild.ts";
import type { Queryable } from "../../database/database.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import { countTrainingSessions, getTrainingSessions } from "../../projections/training-data.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { atlas as command, userFolder } from "../cli/from-source.ts";
import { everything } from "../projections/replayed.ts";
import { sessionId, wholeSession } from "../traces/sessions.ts";
import { approveAll, exportedFrom, folderForTest, opened } from "./opened.ts";

const ID = sessionId("gone");

async function filled(folder: string) {
  const atlas = await opened(folder);
  await atlas.rules.ensure(DEFAULT_RULES);
  await atlas.log.append(
    [
      ...wholeSession("gone", { task: "the secret task" }),
      ...wholeSession("stays", { start: 1_700_000_100_000_000 }),
    ].map(atlas.log.mask),
  );
  await approveAll(atlas);
  return atlas;
}

test("an erased session is nowhere but in the log, also after a rebuild and what comes late", async () => {
  const atlas = await filled(folderForTest());
  const before = await exportedFrom(atlas);
  expect(before).toContain(ID);
  await atlas.sessions.erase(ID, { reason: "the secret reason", author: "Ada Secret" });
  await atlas.log.append(wholeSession("gone", { task: "the secret task" }).map(atlas.log.mask));
  await atlas.settled();

  expect(await countTrainingSessions(atlas.db, { reviewStatusFilters: "all" })).toBe(1);
  expect(
    (await getTrainingSessions(atlas.db, { reviewStatusFilters: "all" })).map(({ task }) => task),
  ).toEqual(["Count stays"]);
  expect(await exportedFrom(atlas)).not.toContain(ID);
  const rows = await everything(atlas.db);
  const mentions = Object.entries(rows).flatMap(([table, all]) =>
    all.filter((row) => row.includes(ID) || /secret/i.test(row)).map((row) => ({ table, row })),
  );
  expect(mentions).toMatchObject([{ table: "session_facts", row: expect.stringContaining("SessionErased") }]);
  expect(mentions[0]?.row).not.toMatch(/secret/i);

  await rebuild(atlas, { derived: true });
  expect(await everything(atlas.db)).toEqual(rows);
  let events = 0;
  for await (const batch of atlas.log.read(["atlas.sessions"]))
    events += batch.filter(({ event }) => event.meta.session_id === ID).length;
  expect(events).toBeGreaterThan(0);

  const ends = await atlas.log.ends(["atlas.decisions"]);
  expect(await atlas.sessions.erase(ID, { reason: "again" })).toEqual({
    sessionId: ID,
    erasedAt: expect.any(Date),
  });
  expect(await atlas.log.ends(["atlas.decisions"])).toEqual(ends);
  await expect(atlas.sessions.erase(sessionId("unknown"), { reason: "x" })).rejects.toMatchObject({
    code: "ATLAS_SESSION_NOT_FOUND",
  });
});

test("an export leaves out what is erased while it runs", async () => {
  const atlas = await filled(folderForTest());
  let erased = false;
  const racing: Queryable = {
    query: async (sql, params) => {
      // The keys are read by now, and the contents are not.
      if (sql.includes("session_facts") && !erased) {
        erased = true;
        await atlas.sessions.erase(ID, { reason: "raced" });
        await atlas.settled();
      }
      return atlas.db.query(sql, params);
    },
  };
  const tasks: string[] = [];
  for await (const { started } of streamTraces(racing)) tasks.push(started!.task);
  expect(erased).toBe(true);
  expect(tasks).toEqual(["Count stays"]);
  const output = join(folderForTest(), "lines.jsonl");
  expect(await exportDataset(atlas, { output })).toMatchObject({ manifest: { sessions: 1 } });
});

test("the command erases when it is told to, and says so", async () => {
  const folder = userFolder();
  await filled(folder);
  const asked = await command(folder, ["sessions", "erase", ID, "--reason", "asked for"]);
  expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
  const args = ["sessions", "erase", ID.slice(0, 13), "--reason", "asked for", "--author", "Ada", "--yes"];
  const done = await command(folder, args);
  expect(done).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`${ID} is erased since 20`)),
  });
  const again = await command(folder, ["sessions", "erase", ID, "--reason", "twice", "--yes", "--json"]);
  expect(JSON.parse(again.stdout)).toEqual({ sessionId: ID, erasedAt: expect.any(String) });
  const unknown = await command(folder, ["sessions", "erase", sessionId("x"), "--reason", "r", "--yes"]);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("ATLAS_SESSION_NOT_FOUND") });
});
