import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import type { Database } from "../../database/database.ts";
import type { LogRecord } from "../../log/event-log.ts";
import { createReadModels } from "../../projections/read-models.ts";
import { WHATEVER } from "../../projections/session-filters.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { foldSession } from "../../traces/fold.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { anySession } from "../traces/arbitrary-sessions.ts";
import { events, records, sessions } from "./four-sessions.ts";
import { applyRecords, applyUnit, emptyReadModels, everything, logOf, PARTITIONS } from "./replayed.ts";

/** Records of one partition of one topic stay in order; whatever else may come in any order. */
const interleavings = fc
  .tuple(fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 40 }))
  .map(([choices, batchSize]) => {
    const queues = [...Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`).values()].map(
      (queue) => [...queue],
    );
    const order: LogRecord[] = [];
    while (queues.length > 0) {
      const index = choices.next().value % queues.length;
      const run = queues[index]!;
      for (const event of run.splice(0, 1 + (choices.next().value % 12))) order.push(event);
      if (run.length === 0) queues.splice(index, 1);
    }
    return { order, batchSize };
  });

async function linesOf(db: Database): Promise<string[]> {
  const lines: string[] = [];
  for await (const trace of streamTraces(db, WHATEVER)) lines.push(encodeTrainingLine(trace));
  return lines.sort();
}

const linesFromLog = (all: readonly AtlasEvent[]): string[] =>
  [...Map.groupBy(all, ({ meta }) => meta.session_id).values()]
    .map((mine) => encodeTrainingLine(foldSession(mine)))
    .sort();

/** Read models come out the same however the log is cut and interleaved. */
export function readModelsInAnyOrder(database: () => Database): void {
  let db: Database;
  let expected: Record<string, string[]>;

  beforeAll(async () => {
    db = database();
    await applyRecords(db, records);
    expected = await everything(db);
  });

  it("have a row for everything", () => {
    const counts = Object.entries(expected).map(([table, rows]) => [table, rows.length]);
    expect(Object.fromEntries(counts)).toEqual({
      sessions: 4,
      plans: 4,
      step_results: 8,
      step_attempts: 12,
      guidance_notes: 4,
      trajectory_events: 4 * sessions[0]!.own.length,
      learning_registry: 0,
      session_facts: 16,
    });
  });

  it("come out the same however topics interleave and batches fall", async () => {
    await fc.assert(
      fc.asyncProperty(interleavings, async ({ order, batchSize }) => {
        await emptyReadModels(db);
        await applyRecords(db, order, { batchSize });
        expect(await everything(db)).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  });

  it("come out the same without a cache, and with one that holds one session", async () => {
    for (const cacheBytes of [0, 30_000]) {
      await emptyReadModels(db);
      await applyRecords(db, records, { batchSize: 7, readModels: createReadModels({ cacheBytes }) });
      expect(await everything(db)).toEqual(expected);
    }
  });

  it("come out the same when everything comes twice", async () => {
    await applyRecords(db, [...records, ...records], { batchSize: 11 });
    expect(await everything(db)).toEqual(expected);
  });

  it("come out the same when units fail after they were applied", async () => {
    const readModels = createReadModels();
    let turn = 0;
    for (let from = 0; from < records.length; from += 5) {
      for (const [, batch] of Map.groupBy(
        records.slice(from, from + 5),
        ({ topic, partition }) => topic + partition,
      )) {
        turn += 1;
        if (turn % 3 === 0) {
          const failing = db.transaction(async (tx) => {
            await readModels.apply(batch, { tx, partition: batch[0]!.partition, emit: () => undefined });
            throw new Error("the commit failed");
          });
          await expect(failing).rejects.toThrow("the commit failed");
        }
        if (turn % 4 === 0) readModels.forget(batch[0]!.partition);
        await applyUnit(db, readModels, batch);
      }
    }
    expect(await everything(db)).toEqual(expected);
  });

  it("come out the same when several members work on several partitions at once", async () => {
    const byPartition = Map.groupBy(records, ({ partition }) => partition);
    for (let round = 0; round < 5; round += 1) {
      await emptyReadModels(db);
      const members = Array.from({ length: PARTITIONS }, async (_, partition) => {
        const readModels = createReadModels();
        await applyRecords(db, byPartition.get(partition) ?? [], { batchSize: 2 + round, readModels });
      });
      await Promise.all(members);
      expect(await everything(db)).toEqual(expected);
    }
  });

  it("lose nothing when two members commit what they say of one session in either order", async () => {
    const { own, facts } = sessions[0]!;
    const [early, late, said] = [own.slice(0, 8), own.slice(8), facts].map(logOf);
    const alone = async (): Promise<unknown> => {
      await emptyReadModels(db);
      for (const batch of [early!, late!]) await applyUnit(db, createReadModels(), batch);
      await applyRecords(db, said!);
      return everything(db);
    };
    const single = await alone();
    for (const [first, second] of [
      [late!, said!],
      [said!, late!],
    ]) {
      await emptyReadModels(db);
      await applyUnit(db, createReadModels(), early!);
      let applied = (): void => {};
      const isApplied = new Promise<void>((resolve) => {
        applied = resolve;
      });
      const slow = db.transaction(async (tx) => {
        await createReadModels().apply(first!, { tx, partition: 0, emit: () => undefined });
        applied();
        await new Promise((resolve) => setTimeout(resolve, 150));
      });
      await isApplied;
      await Promise.all([slow, applyUnit(db, createReadModels(), second!)]);
      expect(await everything(db)).toEqual(single);
    }
  });

  it("give back what the log gives, byte for byte", async () => {
    await applyRecords(db, records, { batchSize: 9 });
    expect(await linesOf(db)).toEqual(linesFromLog(events));
  });

  it("take any events that the schemas allow, and give back what the log gives", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `any ${index}`);
    const any = names.flatMap((name, index) => fc.sample(anySession(name), { numRuns: 1, seed: index })[0]!);
    await applyRecords(db, logOf(any), { batchSize: 20 });
    expect(await linesOf(db)).toEqual(linesFromLog(any));
  });
}
