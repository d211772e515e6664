import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { copyLogTo } from "../../../app/copy-log.ts";
import { reproduceDataset } from "../../../app/datasets.ts";
import { openLogAlone } from "../../../app/open-store.ts";
import type { LogConfig } from "../../../configs/config-schema.ts";
import { openPostgres } from "../../../database/pg-database.ts";
import { verifyLog } from "../../../derivation/verify-log.ts";
import { type CopyTarget, copyRecords } from "../../../log/copy/copy-records.ts";
import type { EventLog, RawRecord } from "../../../log/event-log.ts";
import { openKafkaTarget } from "../../../log/kafka/open-kafka-target.ts";
import { TOPICS } from "../../../schemas/topics.ts";
import { approveAll, exportedFrom, folderForTest, opened } from "../../app/opened.ts";
import { linesOf, recorded } from "../../cli/recorded.ts";
import { kafkaUnderTest } from "../../log/kafka-under-test.ts";
import { kafka, missing, postgres } from "../../services/services.ts";
import { wholeSession } from "../../traces/sessions.ts";
import { built, filled, told, upTo } from "./filled.ts";

const embedded = (folder = folderForTest(), partitions?: number): LogConfig => ({
  kind: "embedded",
  path: join(folder, ".atlas"),
  partitions,
});

async function allOf(log: EventLog): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  for await (const batch of log.readRaw(TOPICS)) for (const record of batch) records.push(record);
  return records;
}

/** What stands in a log, when it was appended left aside. */
const bytesOf = async (log: EventLog): Promise<unknown[]> =>
  (await allOf(log)).map(({ topic, partition, offset, key, fingerprint, body }) => [
    `${topic}[${partition}]@${offset} ${key} ${fingerprint}`,
    body.toString("base64"),
  ]);

async function logIn(config: LogConfig): Promise<EventLog> {
  const { log, close } = await openLogAlone(config);
  onTestFinished(close);
  return log;
}

/** Topics of its own on the shared brokers. */
async function kafkaLog(): Promise<{
  log: EventLog;
  poison: () => Promise<void>;
  target: () => Promise<CopyTarget>;
}> {
  const services = await kafka();
  const db = await openPostgres((await postgres()).url);
  const { open, close, poison, prefix } = await kafkaUnderTest(services, db, () => db.close());
  const log = await open();
  onTestFinished(async () => {
    await log.close();
    await close();
  });
  return {
    log,
    poison: () => poison(log, "somebody"),
    target: () => openKafkaTarget({ ...services, topicPrefix: prefix }),
  };
}

const withoutPostgres = await missing("postgres");

describe("copying a log to an embedded one and on to Postgres", () => {
  test.skipIf(withoutPostgres)("keeps everything, and datasets can be built again", async () => {
    const atlas = await filled(upTo(12));
    const { folder } = await built(atlas, { split: { train: 0.7, eval: 0.3 } });
    const there = embedded();
    const progress: number[] = [];
    const summary = await copyLogTo(atlas.log, there, { onProgress: (records) => progress.push(records) });
    const origin = await allOf(atlas.log);
    expect(summary).toMatchObject({ from: { id: atlas.log.id }, copied: origin.length, present: 0 });
    expect(progress.at(-1)).toBe(origin.length);
    const copy = await logIn(there);
    expect(copy.id).toBe(summary.to.id);
    expect(await allOf(copy)).toEqual(origin);
    expect(await reproduceDataset(copy, folder)).toMatchObject({ identical: true });

    const server: LogConfig = {
      kind: "postgres",
      databaseUrl: (await postgres()).url,
      partitions: undefined,
    };
    expect(await copyLogTo(copy, server)).toMatchObject({ copied: origin.length });
    const onServer = await logIn(server);
    expect(await allOf(onServer)).toEqual(origin);
    expect(await reproduceDataset(onServer, folder)).toMatchObject({ identical: true });

    await atlas.log.append(told(13).map(atlas.log.mask));
    const again = await copyLogTo(atlas.log, server);
    expect(again).toMatchObject({ present: origin.length });
    expect(again.copied).toBeGreaterThan(0);
    expect(await allOf(onServer)).toEqual(await allOf(atlas.log));
    expect(await copyLogTo(atlas.log, server)).toMatchObject({ copied: 0 });
  });

  test("goes on where it was interrupted", async () => {
    const atlas = await filled(upTo(30));
    const there = embedded();
    const interrupted = new AbortController();
    const onProgress = (): void => interrupted.abort(new Error("stop"));
    await expect(copyLogTo(atlas.log, there, { onProgress, signal: interrupted.signal })).rejects.toThrow(
      "stop",
    );
    const { present, copied } = await copyLogTo(atlas.log, there);
    expect(Math.min(present, copied)).toBeGreaterThan(0);
    expect(await bytesOf(await logIn(there))).toEqual(await bytesOf(atlas.log));
  });

  test("takes a session whose events are as large as they may be", async () => {
    const atlas = await filled([1]);
    const message = "x".repeat(700 * 1024);
    const events = wholeSession("large", { learningKey: "k", score: 1 }).map((event) =>
      event.type === "SessionStarted" ? { ...event, task: message } : event,
    );
    await atlas.log.append(events.map(atlas.log.mask));
    const there = embedded();
    await copyLogTo(atlas.log, there);
    expect(await bytesOf(await logIn(there))).toEqual(await bytesOf(atlas.log));
  });

  test("lets the copy be worked with like the log", async () => {
    const atlas = await opened(folderForTest());
    const file = join(folderForTest(), "runs.jsonl");
    writeFileSync(file, linesOf(upTo(8).map((index) => recorded(index))));
    await atlas.sessions.import({ files: [file] });
    await approveAll(atlas);
    const folder = folderForTest();
    await copyLogTo(atlas.log, embedded(folder));
    const copy = await opened(folder);
    await copy.settled();
    expect(await exportedFrom(copy)).toBe(await exportedFrom(atlas));
    const { gaps, outOfOrder, lateDecisions, unorderedReviews } = await verifyLog(copy.log);
    expect({ gaps, outOfOrder, lateDecisions, unorderedReviews }).toEqual({
      gaps: [],
      outOfOrder: [],
      lateDecisions: [],
      unorderedReviews: [],
    });
  });
});

describe.skipIf(await missing("kafka", "postgres"))("copying a log on Kafka", () => {
  test("keeps everything both ways, records of other writers too", async () => {
    const atlas = await filled(upTo(8));
    const { folder } = await built(atlas);
    const { log, poison, target } = await kafkaLog();
    const into = await target();
    onTestFinished(into.close);
    await copyRecords(atlas.log, into);
    expect(await bytesOf(log)).toEqual(await bytesOf(atlas.log));
    expect(await reproduceDataset(log, folder)).toMatchObject({ identical: true });
    expect(await copyRecords(atlas.log, into)).toMatchObject({ copied: 0 });

    await poison();
    const there = embedded();
    await copyLogTo(log, there);
    const back = await logIn(there);
    expect(await bytesOf(back)).toEqual(await bytesOf(log));
    const foreign = (await allOf(back)).filter(({ fingerprint }) => fingerprint === undefined);
    expect(foreign).toMatchObject([{ key: "somebody", body: Buffer.from("no event") }]);
    expect(await reproduceDataset(back, folder)).toMatchObject({ identical: true });

    const second = await kafkaLog();
    const onward = await second.target();
    onTestFinished(onward.close);
    await copyRecords(back, onward);
    expect(await bytesOf(second.log)).toEqual(await bytesOf(log));
  });
});

describe("a copy is refused", () => {
  const REFUSED = { code: "ATLAS_COPY_REFUSED" };

  test("into the log itself, and into one that holds something else, which stays as it is", async () => {
    const folder = folderForTest();
    const atlas = await filled(upTo(3), folder);
    await expect(copyLogTo(atlas.log, embedded(folder))).rejects.toMatchObject(REFUSED);
    const there = folderForTest();
    const other = await filled([7], there);
    const before = await bytesOf(other.log);
    await expect(copyLogTo(atlas.log, embedded(there))).rejects.toMatchObject(REFUSED);
    expect(await bytesOf(other.log)).toEqual(before);
  });

  test("into one that went on by itself", async () => {
    const atlas = await filled(upTo(3));
    const there = folderForTest();
    await copyLogTo(atlas.log, embedded(there));
    const copy = await filled([4], there);
    await expect(copyLogTo(atlas.log, embedded(there))).rejects.toMatchObject(REFUSED);
    expect(await copyLogTo(copy.log, embedded())).toMatchObject({ present: 0 });
  });

  test("into one with another number of partitions", async () => {
    const atlas = await filled([1]);
    const there = embedded(folderForTest(), 3);
    await (await openLogAlone(there)).close();
    await expect(copyLogTo(atlas.log, there)).rejects.toMatchObject(REFUSED);
  });

  test("of a log that lacks records", async () => {
    const atlas = await filled([1]);
    await atlas.db.query(`delete from atlas_log.events where topic = 'atlas.sessions' and "offset" = 2`);
    await expect(copyLogTo(atlas.log, embedded())).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringMatching(/lacks offsets 2 to 2/),
    });
  });
});
