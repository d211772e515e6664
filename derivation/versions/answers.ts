import { createHash } from "node:crypto";
import type { Queryable } from "../../database/database.ts";
import type { EventLog, LogRecord } from "../../log/event-log.ts";
import { Repetitions } from "../../log/runner/repetitions.ts";
import { type Answer, loadAnswers, saveAnswers } from "../../log/runner/versions.ts";
import { revisionOf } from "../../processors/fact-fields.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { stableJson } from "../../schemas/rules.ts";
import type { Topic } from "../../schemas/topics.ts";

/** What a result says, apart from who computed it, when and how often. */
export const digestOfResult = ({ meta: _, ...said }: AtlasEvent): string =>
  createHash("sha256").update(stableJson(said)).digest("hex").slice(0, 24);

/** Names what a result answers. */
export const questionOf = ({ type, meta }: AtlasEvent): string => `${meta.causation_id ?? ""} ${type}`;

/** How far results of a processor were noted, by topic and partition. */
export type NotedTo = Map<string, number>;

/** What results are noted of, and where. */
export interface Noting {
  log: EventLog;
  /** Names the promotion that they are noted for. */
  promotion: string;
  processor: string;
  topics: readonly Topic[];
}

/**
 * Notes what the log says of a processor's results, from where the last call came to: of each cause the last revision. A
 * batch is all that is held in memory.
 */
export async function noteAnswers(db: Queryable, noting: Noting, noted: NotedTo): Promise<void> {
  const { log, topics } = noting;
  for (const [topic, ends] of await log.ends(topics)) {
    for (const [partition, untilOffset] of ends.entries()) {
      const place = `${topic}/${partition}`;
      const fromOffset = noted.get(place) ?? 0;
      if (fromOffset >= untilOffset) continue;
      const repetitions = new Repetitions();
      for await (const batch of log.read([topic], { partition, fromOffset, untilOffset }))
        await noteBatch(
          db,
          noting,
          batch.filter((record) => repetitions.isNew(record)),
        );
      noted.set(place, untilOffset);
    }
  }
}

/**
 * The same in a transaction that keeps a version from saying more: what it has said is in the log.
 *
 * @returns how far results are noted once the transaction has committed
 */
export async function noteRest(
  tx: Queryable,
  noting: Noting,
  noted: ReadonlyMap<string, number>,
): Promise<NotedTo> {
  const after = new Map(noted);
  const { readInUnit, partitions } = noting.log;
  if (readInUnit === undefined) {
    await noteAnswers(tx, noting, after);
    return after;
  }
  for (const topic of noting.topics) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const place = `${topic}/${partition}`;
      for (;;) {
        const batch = await readInUnit(tx, { topic, partition, offset: after.get(place) ?? 0 });
        if (batch.length === 0) break;
        await noteBatch(tx, noting, batch);
        after.set(place, batch.at(-1)!.offset + 1);
      }
    }
  }
  return after;
}

async function noteBatch(
  db: Queryable,
  { promotion, processor }: Noting,
  batch: readonly LogRecord[],
): Promise<void> {
  const results = batch
    .map(({ event }) => event)
    .filter(
      ({ meta }) => meta.derivation?.processor === processor && (meta.derivation.branch ?? null) === null,
    );
  if (results.length === 0) return;
  const causes = [...new Set(results.map(({ meta }) => meta.causation_id ?? ""))];
  const answers = await loadAnswers(db, promotion, causes);
  for (const event of results)
    answers.set(questionOf(event), withResult(answers.get(questionOf(event)), event));
  await saveAnswers(db, promotion, [...answers.values()]);
}

/** The answer with one more result: one of a higher revision stands in the place of all before. */
export function withResult(before: Answer | undefined, event: AtlasEvent): Answer {
  const revision = revisionOf(event);
  const digest = digestOfResult(event);
  if (before === undefined || before.revision < revision)
    return { cause: event.meta.causation_id ?? "", type: event.type, revision, digests: [digest] };
  return before.revision > revision ? before : { ...before, digests: [...before.digests, digest] };
}
