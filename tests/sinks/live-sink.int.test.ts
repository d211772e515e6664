import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { decisionsOn } from "../../app/api/reviews.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import type { Consumer } from "../../log/event-log.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { REVIEW_STATUSES } from "../../schemas/vocabulary.ts";
import { createLiveSink, LIVE_JSONL, LIVE_TOPICS, type LiveSink } from "../../sinks/jsonl/live-sink.ts";
import { exportedFrom, folderForTest, opened } from "../app/opened.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { writeConversations } from "../soak/conversations.ts";

async function withSessions(count: number): Promise<Atlas> {
  const atlas = await opened(folderForTest());
  const file = join(folderForTest(), "runs.jsonl");
  writeConversations(file, 5, count);
  await atlas.sessions.import({ files: [file] });
  await atlas.settled();
  return atlas;
}

const consuming = ({ log }: Atlas, sink: LiveSink, apply = sink.apply): Promise<Consumer> =>
  log.consume({ group: sink.group, topics: sink.topics, onAssignmentChange: sink.forget }, apply);

async function started(atlas: Atlas, folder: string): Promise<void> {
  const sink = createLiveSink({ folder });
  const consumer = await consuming(atlas, sink);
  onTestFinished(() => consumer.stop().then(sink.close));
}

async function decide(atlas: Atlas, decision: "approved" | "quarantined", count: number): Promise<string[]> {
  const sessions = (
    await listSessions(atlas.db, { reviewStatusFilters: [...REVIEW_STATUSES], limit: null })
  ).slice(0, count);
  await atlas.log.append(decisionsOn(atlas.log, sessions, decision, { author: "test" }));
  await written(atlas);
  return sessions.map(({ sessionId }) => sessionId).sort();
}

async function written({ log, settled }: Atlas): Promise<void> {
  await settled();
  await log.caughtUp(LIVE_JSONL, await log.ends(LIVE_TOPICS), { timeoutMs: LIMIT_MS });
}

const linesIn = (folder: string, prefix: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split(/(?<=\n)/))
    .filter((line) => line !== "");

const idsIn = (lines: readonly string[]): string[] =>
  lines
    .map(
      (line) =>
        (JSON.parse(line) as { session_metadata: { session_id: string } }).session_metadata.session_id,
    )
    .sort();

const erased = (sessionId: string, learning_key: string): AtlasEvent => {
  const meta = { event_id: newId(), session_id: sessionId, source: `test/${newId()}`, sequence: 1 };
  return createEvent(
    "SessionErased",
    { ...meta, occurred_at: nowMicros(), time_assumed: false },
    {
      learning_key,
      author: "test",
      reason: null,
    },
  );
};

test("sessions stand in the files once they are approved, in the bytes of an export", async () => {
  const atlas = await withSessions(12);
  const folder = folderForTest();
  await started(atlas, folder);
  const ids = await decide(atlas, "approved", 5);
  expect(idsIn(linesIn(folder, "approved-"))).toEqual(ids);
  await decide(atlas, "approved", 12);
  const exported = (await exportedFrom(atlas)).split(/(?<=\n)/).filter((line) => line !== "");
  expect(linesIn(folder, "approved-").sort()).toEqual(exported.sort());
});

test("what is withdrawn or erased goes to the tombstones, and no session stands in the files twice", async () => {
  const atlas = await withSessions(6);
  const folder = folderForTest();
  await started(atlas, folder);
  const ids = await decide(atlas, "approved", 3);
  await decide(atlas, "quarantined", 3);
  await decide(atlas, "approved", 2);
  const [first] = await listSessions(atlas.db, { reviewStatusFilters: [...REVIEW_STATUSES], limit: 1 });
  await atlas.log.append([erased(first!.sessionId, first!.learningKey)].map(atlas.log.mask));
  await written(atlas);

  expect(idsIn(linesIn(folder, "approved-"))).toEqual(ids);
  const last = new Map(
    linesIn(folder, "tombstones-")
      .map((line) => JSON.parse(line) as { session_id: string; status: string })
      .map(({ session_id, status }) => [session_id, status]),
  );
  expect([...last.values()].sort()).toEqual(["approved", "erased", "quarantined"]);
  expect(last.get(first!.sessionId)).toBe("erased");
});

test("units that are rolled back after they wrote, and other processes in between, change nothing", async () => {
  const atlas = await withSessions(20);
  const folder = folderForTest();
  let crashes = 0;
  for (let round = 1; round <= 4; round += 1) {
    const sink = createLiveSink({ folder, rotateBytes: 40_000 });
    const consumer = await consuming(atlas, sink, async (batch, unit) => {
      await sink.apply(batch, unit);
      crashes += 1;
      if (crashes % 3 === 0) throw Object.assign(new Error("killed before the commit"), { retryable: true });
    });
    await decide(atlas, "approved", round * 5);
    await consumer.stop();
    await sink.close();
  }
  expect(crashes).toBeGreaterThan(4);
  const lines = linesIn(folder, "approved-");
  expect(idsIn(lines)).toHaveLength(20);
  expect(new Set(idsIn(lines)).size).toBe(20);
});

test("a session that is approved before the read models know of it waits for them", async () => {
  const atlas = await withSessions(1);
  const folder = folderForTest();
  const sink = createLiveSink({ folder });
  const [session] = await listSessions(atlas.db, { reviewStatusFilters: [...REVIEW_STATUSES], limit: 1 });
  const retries = vi.fn();
  const change = createEvent(
    "ReviewStatusChanged",
    {
      event_id: newId(),
      session_id: newId(),
      source: `test/${newId()}`,
      sequence: 1,
      occurred_at: nowMicros(),
      time_assumed: false,
    },
    { learning_key: session!.learningKey, from_status: "pending", to_status: "approved", because: "person" },
  );
  const consumer = await atlas.log.consume(
    { group: sink.group, topics: sink.topics, onRetry: retries },
    sink.apply,
  );
  await atlas.log.append([change].map(atlas.log.mask));
  await eventually(() => expect(retries).toHaveBeenCalled());
  expect(retries.mock.calls[0]![0]).toMatchObject({ code: "ATLAS_CONSUMER_BEHIND" });
  await consumer.stop();
  await sink.close();
});
