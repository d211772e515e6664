import { expect, test } from "vitest";
import type { Atlas } from "../../app/open-atlas.ts";
import { rebuild } from "../../app/rebuild.ts";
import { type DeadLetter, listDeadLetters } from "../../log/dead-letters.ts";
import { groupOfVersion } from "../../log/runner/versions.ts";
import { sessionRewards } from "../../processors/session-rewards.ts";
import { getSession } from "../../projections/training-data.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { eventsOf } from "../as-readers.ts";
import { atlas as command, userFolder } from "../cli/from-source.ts";
import { LIMIT_MS } from "../eventually.ts";
import { rowsKept } from "../log/rows-kept.ts";
import { everything } from "../projections/replayed.ts";
import { sessionId, wholeSession } from "../traces/sessions.ts";
import { folderForTest, opened } from "./opened.ts";

/** Makes the database refuse some rows, as a full index or a broken extension would. */
async function refuseRows(
  { db }: Pick<Atlas, "db">,
  table: string,
  condition: string,
  how = "insert or update",
): Promise<() => Promise<void>> {
  await db.query(
    `create function refuse_rows() returns trigger language plpgsql as $$
     begin if ${condition} then raise exception 'the index is broken'; end if; return coalesce(new, old); end $$`,
  );
  await db.query(
    `create trigger refuse before ${how} on ${table} for each row execute function refuse_rows()`,
  );
  return async () => void (await db.query("drop function refuse_rows() cascade"));
}

const placesOf = (letters: readonly DeadLetter[]) => letters.map(({ group, topic }) => `${group} ${topic}`);

/** A session whose first tool result cannot be stored while the trigger is there. */
async function withRefusedEvent(atlas: Atlas): Promise<() => Promise<void>> {
  await atlas.rules.ensure(DEFAULT_RULES);
  const mend = await refuseRows(atlas, "trajectory_events", "new.event::text like '%poison%'");
  const own = wholeSession("a");
  const tool = own.find(({ type }) => type === "ToolCallEnded") as AtlasEvent & { output: string };
  tool.output = "poison";
  await atlas.log.append([...wholeSession("b"), ...own].map(atlas.log.mask));
  await atlas.settled();
  return mend;
}

test("a session is whole again when the record that it lacks is retried, and a rebuild gives the same", async () => {
  const atlas = await opened(folderForTest());
  const mend = await withRefusedEvent(atlas);
  const letters = await listDeadLetters(atlas.log);
  expect(letters).toMatchObject([
    {
      group: "read-models",
      topic: "atlas.sessions",
      sessionId: sessionId("a"),
      error: "the index is broken",
    },
  ]);
  expect((await getSession(atlas.db, sessionId("a"))).incomplete).toBe(true);

  const [refused] = await atlas.deadLetters.retry();
  expect(refused).toMatchObject({ status: "refused", error: { message: "the index is broken" } });
  await atlas.settled();
  expect(await listDeadLetters(atlas.log)).toEqual(letters);
  expect((await getSession(atlas.db, sessionId("a"))).incomplete).toBe(true);

  await mend();
  expect(await atlas.deadLetters.retry({ ids: [letters[0]!.id.slice(0, 13)], author: "Ada" })).toMatchObject([
    { status: "applied" },
  ]);
  await atlas.settled();
  expect(await listDeadLetters(atlas.log)).toEqual([]);
  const session = await getSession(atlas.db, sessionId("a"));
  expect(session.incomplete).toBe(false);
  expect(session.trajectoryEvents?.map(({ meta }) => meta.sequence)).toEqual(
    wholeSession("a").map((_, index) => index + 1),
  );
  expect(await eventsOf(atlas.log, "atlas.dead-letters", "DeadLetterRetried")).toMatchObject([
    { author: "Ada", group: "read-models", meta: { session_id: sessionId("a") } },
  ]);

  const rows = await everything(atlas.db);
  await rebuild(atlas);
  expect(await everything(atlas.db)).toEqual(rows);
  expect(await atlas.deadLetters.retry()).toEqual([]);
});

test("of two who retry at once, one applies", async () => {
  const atlas = await opened(folderForTest());
  const mend = await withRefusedEvent(atlas);
  await mend();
  const [one, other] = await Promise.all([atlas.deadLetters.retry(), atlas.deadLetters.retry()]);
  expect([one[0]?.status, other[0]?.status].sort()).toEqual(["already-applied", "applied"]);
  await atlas.settled();
  expect(await eventsOf(atlas.log, "atlas.dead-letters", "DeadLetterRetried")).toHaveLength(1);
});

test("a processor that refused a record gives the reward when it is retried, once", async () => {
  const atlas = await opened(folderForTest());
  await atlas.rules.ensure(DEFAULT_RULES);
  const own = wholeSession("a");
  await atlas.log.append(own.slice(0, -1).map(atlas.log.mask));
  await atlas.settled();
  const closing = "old.group_id like 'session-rewards@%'";
  const mend = await refuseRows(atlas, "atlas_log.sequences", closing, "delete");
  await atlas.log.append(own.slice(-1).map(atlas.log.mask));
  await atlas.settled();
  await mend();
  const [letter] = await listDeadLetters(atlas.log);
  expect(placesOf([letter!])).toEqual([`${groupOfVersion(sessionRewards)} atlas.sessions`]);
  expect(await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded")).toEqual([]);
  expect(await atlas.deadLetters.retry()).toMatchObject([{ status: "applied" }]);
  await atlas.settled();
  expect(await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded")).toHaveLength(1);
  const session = await getSession(atlas.db, sessionId("a"));
  expect(session).toMatchObject({ incomplete: false, reward: { score: 0.8 } });
  // That it was set aside, and then applied, stays on record.
  const kept = await rowsKept(atlas.db, [sessionId("a")]);
  expect(kept.tables).toEqual({ dead_letters: 1, session_ids: 1 });
});

test("the letter of another program's consumer is retried by that program only", async () => {
  const atlas = await opened(folderForTest());
  let broken = true;
  const taken: string[] = [];
  const apply = async (batch: readonly { event: AtlasEvent }[]): Promise<void> => {
    if (broken && batch.some(({ event }) => event.type === "RulesSet")) throw new Error("not mine");
    for (const { event } of batch) taken.push(event.type);
  };
  const consumer = await atlas.log.consume({ group: "bi", topics: ["atlas.decisions"], db: atlas.db }, apply);
  await atlas.rules.ensure(DEFAULT_RULES);
  await atlas.log.caughtUp("bi", await atlas.log.ends(["atlas.decisions"]), { timeoutMs: LIMIT_MS });
  await consumer.stop();
  expect(placesOf(await listDeadLetters(atlas.log))).toEqual(["bi atlas.decisions"]);
  expect(await atlas.deadLetters.retry()).toMatchObject([
    { status: "refused", error: { code: "ATLAS_DEAD_LETTER_FOREIGN" } },
  ]);
  broken = false;
  expect(await atlas.deadLetters.retry({ consumers: { bi: apply } })).toMatchObject([{ status: "applied" }]);
  expect(taken).toEqual(["RulesSet"]);
  expect(await listDeadLetters(atlas.log)).toEqual([]);
  await expect(atlas.deadLetters.retry({ ids: ["0000"] })).rejects.toMatchObject({
    code: "ATLAS_DEAD_LETTER_NOT_FOUND",
  });
});

test("the command lists and retries", async () => {
  const folder = userFolder();
  const atlas = await opened(folder);
  const mend = await withRefusedEvent(atlas);
  const listed = await command(folder, ["dead-letters", "list", "--json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject([{ group: "read-models", sessionId: sessionId("a") }]);
  expect((await command(folder, ["dead-letters", "retry"])).code).toBe(2);
  const again = await command(folder, ["dead-letters", "retry", "--all"]);
  expect(again).toMatchObject({ code: 1, stdout: expect.stringContaining("was refused again") });
  await mend();
  const applied = await command(folder, ["dead-letters", "retry", "--all"]);
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining("is applied") });
  expect((await command(folder, ["dead-letters", "list"])).stdout).toBe("No record was set aside.\n");
});
