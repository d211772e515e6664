import { reviewer } from "../configs/reviewer.ts";
import type { Database, Queryable } from "../database/database.ts";
import { isTransient } from "../database/transient.ts";
import { processorConsumer } from "../derivation/processor-consumer.ts";
import type { RulesStore } from "../derivation/rules.ts";
import { PROCESSORS, READ_MODELS } from "../derivation/stages.ts";
import { AtlasError, isAtlasError, messageOf } from "../errors/atlas-error.ts";
import { type DeadLetter, listDeadLetters, placeOf } from "../log/dead-letters.ts";
import type { Apply, EventLog, LogRecord, RawRecord } from "../log/event-log.ts";
import type { Mask } from "../log/outgoing.ts";
import { toOutgoing } from "../log/outgoing.ts";
import { appendRecords } from "../log/postgres/event-store.ts";
import { decodeRecord } from "../log/records.ts";
import {
  clearOutbox,
  loadSequences,
  putOutbox,
  readOutbox,
  saveSequences,
} from "../log/runner/assignment-store.ts";
import { createEvent, decodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { idOf, nowMicros } from "../schemas/identity.ts";
import { retryInReadModels } from "./retry-in-read-models.ts";

/** What became of one retry. */
export type RetryOutcome =
  | { letter: DeadLetter; status: "applied" }
  /** Another process was first. */
  | { letter: DeadLetter; status: "already-applied" }
  | { letter: DeadLetter; status: "refused"; error: AtlasError };

/** What retrying works with. */
export interface RetryContext {
  log: EventLog;
  db: Database;
  rules: RulesStore;
  mask?: Mask | undefined;
}

/** Which letters to retry. */
export interface RetryOptions {
  /** Letters by id, or its unambiguous beginning; all of them unless told. */
  ids?: readonly string[] | undefined;
  /** How records are applied by consumers of your own, by group. */
  consumers?: Readonly<Record<string, Apply>> | undefined;
  author?: string | undefined;
}

/**
 * Hands records that were set aside to the consumer that refused them, once more: each in one unit of work that also
 * keeps what it emits, and a `DeadLetterRetried` that takes the letter off the list. A record that is refused again
 * changes nothing.
 *
 * @throws AtlasError ATLAS_DEAD_LETTER_NOT_FOUND for an id that names no letter, before anything is retried
 * @example
 * const outcomes = await retryDeadLetters(atlas, { ids: ["018f6b0e"] });
 */
export async function retryDeadLetters(
  context: RetryContext,
  options: RetryOptions = {},
): Promise<RetryOutcome[]> {
  const open = await listDeadLetters(context.log);
  const letters = options.ids === undefined ? open : options.ids.map((id) => named(open, id));
  const outcomes: RetryOutcome[] = [];
  for (const letter of new Set(letters)) {
    try {
      const applied = await patiently(() => retry(context, letter, options));
      outcomes.push({ letter, status: applied ? "applied" : "already-applied" });
    } catch (error) {
      outcomes.push({ letter, status: "refused", error: asAtlasError(error) });
    }
  }
  return outcomes;
}

function named(letters: readonly DeadLetter[], id: string): DeadLetter {
  const wanted = id.trim().toLowerCase();
  const found = wanted === "" ? [] : letters.filter((letter) => letter.id.startsWith(wanted));
  if (found.length === 1) return found[0]!;
  const what = found.length === 0 ? "no dead letter is called" : "more than one dead letter begins with";
  throw new AtlasError("ATLAS_DEAD_LETTER_NOT_FOUND", `${what} ${JSON.stringify(id)}`, {
    hint: "List them with `atlas dead-letters list`.",
  });
}

const asAtlasError = (error: unknown): AtlasError =>
  isAtlasError(error) ? error : new AtlasError("ATLAS_UNEXPECTED", messageOf(error), { cause: error });

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const passes = isTransient(error) || (isAtlasError(error) && error.retryable);
      if (!passes || attempt === 5) throw error;
    }
  }
}

async function retry(context: RetryContext, letter: DeadLetter, options: RetryOptions): Promise<boolean> {
  const { log, db, rules, mask } = context;
  const record = decodeRecord(await recordOf(log, letter));
  const apply = await applyOf(context, letter, options);
  await rules.load([record]);
  const { group, partition, topic } = letter;
  const key = { group, partition };
  const emitted = await db.transaction(async (tx) => {
    // Whoever owns the assignment waits meanwhile, and goes on with what this leaves.
    await tx.query("select 1 from atlas_log.assignments where group_id = $1 and partition = $2 for update", [
      group,
      partition,
    ]);
    if (!(await claim(tx, letter))) return undefined;
    const events: AtlasEvent[] = [];
    await apply([record], { tx, partition, emit: (more) => void events.push(...more) });
    const { source, sequence } = record.event.meta;
    const seen = await loadSequences(tx, key, topic, [source]);
    if (sequence > (seen.get(source) ?? -1))
      await saveSequences(tx, key, topic, new Map([[source, sequence]]));
    events.push(retriedFact(letter, record, options.author ?? reviewer()));
    const outgoing = toOutgoing(events, log.partitions, mask);
    if (log.kind === "postgres") await appendRecords(tx, outgoing);
    else await putOutbox(tx, key, outgoing);
    return outgoing;
  });
  if (emitted !== undefined && log.kind !== "postgres") await publish(log, db, key);
  return emitted !== undefined;
}

async function recordOf(log: EventLog, { topic, partition, offset }: DeadLetter): Promise<RawRecord> {
  for await (const [raw] of log.readRaw([topic], {
    partition,
    fromOffset: offset,
    untilOffset: offset + 1,
  })) {
    if (raw?.offset === offset) return raw;
  }
  throw new AtlasError("ATLAS_LOG_REPLACED", "the log does not hold the record any more", {
    where: `${topic}[${partition}]@${offset}`,
  });
}

async function applyOf(
  context: RetryContext,
  letter: DeadLetter,
  { consumers }: RetryOptions,
): Promise<Apply> {
  const own = consumers?.[letter.group];
  if (own !== undefined) return own;
  if (letter.group === READ_MODELS) return retryInReadModels(context.log, letter);
  const processor = PROCESSORS.find(({ name }) => name === letter.group);
  if (processor !== undefined) return processorConsumer(processor, context.rules.lookup);
  throw new AtlasError(
    "ATLAS_DEAD_LETTER_FOREIGN",
    `the consumer ${letter.group} is not one of this package`,
    {
      where: placeOf(letter),
      hint: "Retry it in the program that runs it: retryDeadLetters(atlas, { consumers: { name: apply } }).",
    },
  );
}

/** Makes this retry the one that counts. */
async function claim(tx: Queryable, letter: DeadLetter): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into atlas_log.dead_letters as known
       (event_id, session_uuid, group_id, topic, partition, "offset", error_code, error, fingerprint, body, occurred_at, retried_at)
     values ($1, $2, $3, $4, $5, $6, $7, '', '', '', $8, now())
     on conflict (event_id) do update set retried_at = now() where known.retried_at is null`,
    [
      letter.id,
      letter.sessionId,
      letter.group,
      letter.topic,
      letter.partition,
      letter.offset,
      letter.errorCode,
      letter.at.toISOString(),
    ],
  );
  return rowCount > 0;
}

function retriedFact(letter: DeadLetter, { key }: LogRecord, author: string): AtlasEvent {
  const { group, topic, partition, offset } = letter;
  return createEvent(
    "DeadLetterRetried",
    {
      event_id: idOf("dead-letter-retried", letter.id),
      session_id: letter.sessionId,
      // A source of its own: letters are retried in any order.
      source: `dead-letter-retried/${letter.id}`,
      sequence: 1,
      occurred_at: nowMicros(),
      time_assumed: false,
      causation_id: letter.id,
    },
    { learning_key: key, group, topic, partition, offset, author },
  );
}

/** Publishes what the unit left; the assignment's owner does the same, and repetitions are dropped by readers. */
async function publish(
  log: EventLog,
  db: Database,
  key: { group: string; partition: number },
): Promise<void> {
  for (;;) {
    const { records, last } = await readOutbox(db, key, 500);
    if (records.length === 0) return;
    await log.append(records.map(({ fingerprint, body }) => decodeEvent(fingerprint, body)));
    await clearOutbox(db, key, last);
  }
}
