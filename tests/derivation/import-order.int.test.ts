import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Atlas } from "../../app/open-atlas.ts";
import { openAtlas } from "../../app/open-atlas.ts";
import { startPipeline } from "../../app/pipeline.ts";
import { rebuild } from "../../app/rebuild.ts";
import { verifyLog } from "../../derivation/verify-log.ts";
import type { AtlasEvent, EventOf, Uuid } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { judgedSession } from "../app/judged.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";
import { seeded } from "../soak/random.ts";

const SESSIONS = 100;
const RULES = { rules: { review: { autoApprove: { minReward: 0.5, maxUncertainty: null } } } };

/** Runs of one learning key whose scores vary, and collapse towards the end. */
function writeRuns(): string {
  const file = join(folderForTest(), "runs.jsonl");
  const random = seeded(7);
  const lines = Array.from({ length: SESSIONS }, (_, index) => {
    const reward = index < 80 ? 0.7 + 0.2 * random.next() : 0.1;
    const messages = [
      { role: "user", content: `Book trip ${index}.` },
      { role: "assistant", content: "It is booked." },
    ];
    const created_at = new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString();
    return JSON.stringify({ reward, created_at, messages });
  });
  writeFileSync(file, lines.join("\n"));
  return file;
}

const importing = (atlas: Atlas, file: string) =>
  atlas.sessions.import({ files: [file], learningKey: "trips" });

/** What drift says of each session, without where in the log its cause is. */
const assessmentsOf = async ({ log }: Atlas): Promise<Map<Uuid | null | undefined, AtlasEvent>> =>
  new Map(
    (await eventsOf(log, "atlas.drift", "DriftAssessed")).map((event) => [event.meta.session_id, event]),
  );

test("drift over an import is that of sessions that came one by one, however partitions are worked on", async () => {
  const file = writeRuns();
  const serial = await opened(folderForTest(), RULES);
  const started: EventOf<"SessionStarted">[] = [];
  await importing(serial, file);
  await serial.settled();
  for await (const batch of serial.log.read(["atlas.sessions"]))
    for (const { event } of batch) if (event.type === "SessionStarted") started.push(event);
  const before = new Map(started.map(({ meta, after }) => [meta.source, after]));
  const expected = await assessmentsOf(serial);
  expect(expected.size).toBe(SESSIONS);
  expect([...expected.values()].some((event) => event.type === "DriftAssessed" && event.alert)).toBe(true);
  // Each session was assessed after the one before it.
  const order = [...expected.keys()];
  expect(order.every((session, index) => index === 0 || before.get(session ?? "") === order[index - 1])).toBe(
    true,
  );

  // Nobody consumes while the import runs; then rewards come partition by partition.
  const lagging = await openAtlas(
    { log: { kind: "embedded", path: folderForTest() }, ...RULES },
    { consumers: false },
  );
  onTestFinished(() => lagging.close());
  await importing(lagging, file);
  const { log, rules } = lagging;
  const ends = (await log.ends(["atlas.sessions"])).get("atlas.sessions")!;
  expect(ends.filter((end) => end > 0).length).toBe(log.partitions);
  const pipeline = await startPipeline(log, rules);
  onTestFinished(pipeline.stop);
  await lagging.settled();
  expect(await assessmentsOf(lagging)).toEqual(expected);
  expect((await verifyLog(log)).outOfOrder).toEqual([]);
  expect((await rebuild(lagging, { derived: true })).derived).toMatchObject({ differences: 0 });

  const events = async () => (await verifyLog(log)).events;
  const held = await events();
  expect(await importing(lagging, file)).toMatchObject({ sessions: 0, events: 0, skippedSessions: SESSIONS });
  await lagging.settled();
  expect(await events()).toBe(held);
});

const behind = (number: number, after: string, hash: string): AtlasEvent[] => {
  const [first, ...rest] = judgedSession(number, { only: 0.9 }, hash) as [
    EventOf<"SessionStarted">,
    ...AtlasEvent[],
  ];
  return [{ ...first, after }, ...rest];
};

test("a session whose predecessor was set aside waits for it, and is assessed when that is retried", async () => {
  const atlas = await opened(folderForTest(), RULES);
  const { log, db } = atlas;
  const hash = await atlas.rules.ensure(atlas.config.rules);
  const [one, two] = [idOf("judged", 1), idOf("judged", 2)];
  await db.query(
    `create function refuse_one() returns trigger language plpgsql as $$
     begin if new.state like '%,"${one}"]%' then raise exception 'it is refused'; end if; return new; end $$`,
  );
  await db.query(
    "create trigger refuse before insert or update on atlas_log.state for each row execute function refuse_one()",
  );
  const events = [...judgedSession(1, { only: 0.9 }, hash), ...behind(2, one, hash)];
  await log.append(events.map(log.mask));
  await atlas.settled();
  expect((await verifyLog(log)).waiting).toEqual([{ sessionId: two, learningKey: "judged", after: one }]);
  await db.query("drop function refuse_one() cascade");
  expect(await atlas.deadLetters.retry()).toMatchObject([{ status: "applied" }]);
  await atlas.settled();
  expect([...(await assessmentsOf(atlas)).keys()]).toEqual([one, two]);
  expect((await verifyLog(log)).waiting).toEqual([]);
});

test("a session whose predecessor has no reward is named, and assessed by a rebuild", async () => {
  const atlas = await opened(folderForTest(), RULES);
  const { log, rules, config } = atlas;
  const hash = await rules.ensure(config.rules);
  const append = async (events: AtlasEvent[]): Promise<void> => {
    await log.append(events.map(log.mask));
    await atlas.settled();
  };
  await append(behind(2, idOf("judged", 1), hash));
  await append(behind(3, idOf("judged", 2), hash));
  expect((await assessmentsOf(atlas)).size).toBe(0);
  const { waiting } = await verifyLog(log);
  expect(waiting).toEqual([
    { sessionId: idOf("judged", 2), learningKey: "judged", after: idOf("judged", 1) },
    { sessionId: idOf("judged", 3), learningKey: "judged", after: idOf("judged", 2) },
  ]);

  const { derived } = await rebuild(atlas, { derived: true, mayPublish: async () => true });
  expect(derived!.explained).toBe(derived!.differences);
  expect([...(await assessmentsOf(atlas)).keys()].sort()).toEqual(
    [idOf("judged", 2), idOf("judged", 3)].sort(),
  );
  expect((await verifyLog(log)).waiting).toEqual([]);
  expect((await rebuild(atlas, { derived: true })).derived).toMatchObject({ differences: 0 });
  // It is among those that later sessions are held against, and what names it waits no longer.
  await append(behind(4, idOf("judged", 3), hash));
  const last = (await assessmentsOf(atlas)).get(idOf("judged", 4)) as EventOf<"DriftAssessed">;
  expect(last.baseline[0]!.sample_count).toBe(2);
});
