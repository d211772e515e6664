import { READ_MODELS } from "../derivation/stage-list.ts";
import type { Apply } from "../log/event-log.ts";
import { createReadModels } from "../projections/read-models.ts";
import { TOPICS } from "../schemas/topics.ts";
import type { BenchContext } from "./benchmark.ts";
import { inBatches, madeUpSessions } from "./sessions.ts";
import { type BenchStore, contentsOf, fill, kafkaStore, postgresStore } from "./stores.ts";

/** A log on Postgres and one on Kafka with the same events, and the read models of both. */
export interface FilledStores {
  postgres: BenchStore;
  kafka: BenchStore;
  /** Events of each log, on all topics. */
  events: number;
  close(): Promise<void>;
}

/** Fills both logs with sessions and what processors derive from them. */
export async function filledStores(context: BenchContext): Promise<FilledStores> {
  const postgres = await postgresStore(context);
  context.note(`filling a log on Postgres with ${context.sessions} sessions`);
  await fill(postgres, madeUpSessions(context.sessions, context.events));
  const contents = await contentsOf(postgres.log);
  context.note(`filling a log on Kafka with the same ${contents.length} events`);
  const kafka = await kafkaStore(context);
  for (const batch of inBatches(contents, 500)) await kafka.log.append(batch.map(kafka.log.mask));
  await project(kafka, READ_MODELS);
  const close = async (): Promise<void> => {
    await kafka.close();
    await postgres.close();
  };
  return { postgres, kafka, events: contents.length, close };
}

/**
 * Consumes everything into read models, as a new group.
 *
 * @param schema where the tables are; the live ones unless told
 * @returns milliseconds from the first assignment to the last commit
 */
export async function project({ log }: BenchStore, group: string, schema?: string): Promise<number> {
  const ends = await log.ends(TOPICS);
  let left = [...ends.values()].flat().reduce((sum, end) => sum + end, 0);
  const readModels = createReadModels(schema === undefined ? {} : { schema });
  let allApplied: () => void = () => {};
  const applied = new Promise<void>((resolve) => {
    allApplied = resolve;
  });
  let start: number | undefined;
  const apply: Apply = async (batch, unit) => {
    await readModels.apply(batch, unit);
    left -= batch.length;
    if (left <= 0) allApplied();
  };
  const onAssignmentChange = (partition: number): void => {
    start ??= performance.now();
    readModels.forget(partition);
  };
  const consumer = await log.consume({ group, topics: TOPICS, onAssignmentChange }, apply);
  await Promise.race([applied, consumer.done]);
  await log.caughtUp(group, ends);
  const end = performance.now();
  await consumer.stop();
  return end - start!;
}
