import { type Queryable, UNHURRIED } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import { listDeadLetters } from "../../log/dead-letters.ts";
import type { EventLog } from "../../log/event-log.ts";
import { toOutgoing } from "../../log/outgoing.ts";
import { lockAssignments } from "../../log/runner/assignment-store.ts";
import { lagOf } from "../../log/runner/caught-up.ts";
import { beginRefilling } from "../../log/runner/refilled.ts";
import { groupOfVersion, outboxOf, versionRoles } from "../../log/runner/versions.ts";
import type { Processor } from "../../processors/processor.ts";
import { type Topic, topicOf } from "../../schemas/topics.ts";
import { answeredElsewhere } from "../answered-elsewhere.ts";
import { processorConsumer } from "../processor-consumer.ts";
import type { RulesStore } from "../rules.ts";
import { computeAgain } from "./computed-again.ts";
import { lostPlaces } from "./lost-places.ts";
import { Computed, type Missing } from "./refill-content.ts";
import { refillPartition } from "./refill-partition.ts";

/** Which derived topics to make whole, and who computes them. */
export interface RebuildTopicsOptions {
  topics: readonly Topic[];
  /** In the order in which facts flow through them. */
  processors: readonly Processor[];
  onProgress?: ((what: string, events: number) => void) | undefined;
  /** Milliseconds without progress of a processor after which it is given up; 30,000 unless told. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** What was done about one topic. */
export interface RebuiltTopic {
  topic: Topic;
  /** Partitions that had lost something, and were filled anew. */
  partitions: number;
  /** Events that the log did not hold any longer. */
  restored: number;
}

/** Results wait in the outbox of a processor; they are in the log in a moment. */
class NotYet extends Error {}

/** Characters of computed lines that are kept in memory, over all partitions. */
const CHARACTERS = 4 * 1024 * 1024;

/**
 * Makes derived topics whole that were lost or shortened: computes again what processors say of the log, and fills each partition
 * that lacks some of it anew, with what is left of it and what it lacks. Events are the same as before, by their ids, so
 * whoever has seen them drops them; groups go on from where the partition now begins, and a topic that is whole is left alone.
 *
 * @param log with a database
 * @throws AtlasError ATLAS_LOG_REPLACED where a topic lost records that this is computed from; ATLAS_CONSUMER_BEHIND where a
 *   processor makes no progress; ATLAS_VERSION_NOT_FOUND where another version answers
 */
export async function rebuildTopics(
  log: EventLog,
  rules: RulesStore,
  { topics, processors, ...options }: RebuildTopicsOptions,
): Promise<RebuiltTopic[]> {
  const rebuilt = new Map<Topic, RebuiltTopic>();
  // What is computed first may be what the next ones are computed from.
  for (const processor of processors) {
    for (const topic of new Set(processor.emits.map((type) => topicOf(type as never)))) {
      if (!topics.includes(topic) || rebuilt.has(topic)) continue;
      const writers = processors.filter(({ emits }) =>
        emits.some((type) => topicOf(type as never) === topic),
      );
      rebuilt.set(topic, await rebuildTopic({ log, rules, topic, writers, ...options }));
    }
  }
  return topics.map((topic) => rebuilt.get(topic)!);
}

interface Work extends Omit<RebuildTopicsOptions, "topics" | "processors"> {
  log: EventLog;
  rules: RulesStore;
  topic: Topic;
  writers: readonly Processor[];
}

async function rebuildTopic(work: Work): Promise<RebuiltTopic> {
  const { log, topic, writers } = work;
  const result: RebuiltTopic = { topic, partitions: 0, restored: 0 };
  for (const writer of writers) await refuseUnlessAnswers(log, writer);
  for (const writer of writers) await catchUp(work, writer);
  const damaged = await lostPlaces(log, topic);
  const letters = (await listDeadLetters(log)).filter((letter) => letter.topic === topic);
  const computed = await computeTopic(work);
  try {
    for (const [partition, lines] of computed.entries()) {
      work.signal?.throwIfAborted();
      const place = { topic, partition };
      const missing = await lines.missing(log.refilling!.left(log.db!, place));
      if (missing.count > 0 || damaged.has(partition)) {
        await beginRefilling(log.db!, place);
        const here = letters.filter((letter) => letter.partition === partition);
        const refill = { place, missing, letters: here, writers };
        await whenPublished(work, (tx) => refillPartition(tx, log, refill), missing);
        log.announce?.();
        result.partitions += 1;
        result.restored += missing.count;
      }
      await missing.close();
    }
    return result;
  } finally {
    for (const lines of computed) await lines.close();
  }
}

async function refuseUnlessAnswers(log: EventLog, writer: Processor): Promise<void> {
  const group = groupOfVersion(writer);
  const roles = await versionRoles(log.db!);
  if (!roles.some((role) => role.group === group && role.shadow)) return;
  throw new AtlasError(
    "ATLAS_VERSION_NOT_FOUND",
    `version ${writer.version} of ${writer.name} does not answer`,
    {
      where: writer.name,
      hint: "Rebuild with the release whose version answers: `atlas processors list` shows it.",
    },
  );
}

/** Lets a processor apply all that its inputs hold: what it says next comes behind what is computed again. */
async function catchUp({ log, rules, timeoutMs, signal }: Work, writer: Processor): Promise<void> {
  const group = groupOfVersion(writer);
  const ends = await log.ends(writer.inputs);
  const isBehind = (await lagOf(log.db!, group, ends)).length > 0 || (await outboxOf(log.db!, group)) > 0;
  if (!isBehind) return;
  const consumer = await log.consume(
    {
      group,
      versioned: { answeredElsewhere: () => answeredElsewhere(log) },
      topics: writer.inputs,
      prepare: rules.load,
    },
    processorConsumer(writer, rules.lookup),
  );
  try {
    const stopped = consumer.done.then(() => new Promise<never>(() => undefined));
    await Promise.race([log.caughtUp(group, ends, { timeoutMs, signal }), stopped]);
  } finally {
    await consumer.stop();
  }
}

/** What the writers of a topic say of the log, by partition. */
async function computeTopic({ log, rules, topic, writers, onProgress, signal }: Work): Promise<Computed[]> {
  const computed = Array.from(
    { length: log.partitions },
    () => new Computed(Math.ceil(CHARACTERS / log.partitions)),
  );
  let count = 0;
  const onRead = (events: number): void => {
    count += events;
    onProgress?.(`Computing ${topic}`, count);
  };
  for (const processor of writers) {
    const until = await log.ends(processor.inputs);
    await computeAgain(log, rules, { processor, until, onRead, signal }, async (events) => {
      const records = toOutgoing(events, log.partitions);
      for (const [index, record] of records.entries())
        if (record.topic === topic) await computed[record.partition]!.add(events[index]!, record);
    });
  }
  return computed;
}

/** Runs a transaction while nothing of the writers waits in an outbox. */
async function whenPublished(
  { log, writers, signal, timeoutMs = 30_000 }: Work,
  body: (tx: Queryable) => Promise<void>,
  missing: Missing,
): Promise<void> {
  const attempt = () =>
    log.db!.transaction(async (tx) => {
      for (const writer of writers) await lockAssignments(tx, groupOfVersion(writer));
      for (const writer of writers)
        if ((await outboxOf(tx, groupOfVersion(writer))) > 0)
          throw new NotYet(`results of ${groupOfVersion(writer)} wait in its outbox`);
      await body(tx);
    }, UNHURRIED);
  const passes = (error: unknown): boolean => error instanceof NotYet;
  try {
    await retry(attempt, { firstMs: 20, longestMs: 250, forMs: timeoutMs, passes, signal });
  } catch (error) {
    await missing.close();
    if (!(error instanceof NotYet)) throw error;
    throw new AtlasError("ATLAS_CONSUMER_BEHIND", error.message, {
      hint: "See that `atlas worker` is running and healthy, then try again.",
      retryable: true,
    });
  }
}
