import { createHash } from "node:crypto";
import type { Database, Queryable } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { type RetryOptions, retry } from "../../errors/retry.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { type Masked, type Masking, withLogged } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Apply, ConsumeOptions, LogRecord, OutgoingRecord, RawRecord } from "../event-log.ts";
import { hintOfLoss } from "../lost-records.ts";
import { batchesOf, toOutgoing } from "../outgoing.ts";
import { decodeRecord } from "../records.ts";
import {
  type Checkpoint,
  clearOutbox,
  loadCheckpoints,
  lockAssignment,
  putOutbox,
  readOutbox,
  saveBegins,
  saveCheckpoint,
  takeOver,
} from "./assignment-store.ts";
import { deadLetter, POISON_STORM, stormError } from "./dead-letter.ts";
import { applyOnce } from "./unit-of-work.ts";
import { putShadow, settleShadow, shadowedOf } from "./versions.ts";

/** What one assignment needs to work. */
export interface AssignmentOptions
  extends Pick<ConsumeOptions, "onDeadLetter" | "onRetry" | "onUnit" | "prepare" | "versioned"> {
  db: Database;
  logId: string;
  group: string;
  partition: number;
  /** Partitions of every topic. */
  partitions: number;
  topics: readonly Topic[];
  member: string;
  batchSize: number;
  apply: Apply;
  /** For the letters of records that are set aside: what is said of an error comes from outside. */
  mask: Masking;
  /** Appends what units emit in the unit's own transaction, where the log lives in the same database. */
  appendInUnit?: (tx: Queryable, records: readonly OutgoingRecord[]) => Promise<void>;
  /** Called after a unit that emitted something has committed. */
  onCommit?: () => void;
  /** Where the partition of a topic begins, where that is not at offset 0. */
  beginOf?: ((topic: Topic) => number) | undefined;
  /** Called whenever a unit gets further: a long one is not a stuck one. */
  onProgress?: (() => void) | undefined;
  /** Publishes records of the outbox, in order; resolves once the log has acknowledged. */
  publish?: (records: readonly OutgoingRecord[]) => Promise<void>;
}

const OUTBOX_BATCH = 500;
/** How many events a unit emitted whose answer was lost. */
const UNKNOWN = -1;
/** How long an error that passes by itself is waited out here; after that the member sees to its other assignments. */
const PATIENCE: RetryOptions = { firstMs: 50, longestMs: 500, forMs: 2000, passes: isTransient };

/** A short digest by which a record is known again. */
export const digestOf = (body: Buffer): string =>
  createHash("sha256").update(body).digest("hex").slice(0, 16);

/**
 * Partition p of every input of a group, owned by this member. A batch is one Postgres transaction that checks the
 * epoch, drops repetitions, applies, keeps what was emitted and advances the checkpoint.
 */
export class Assignment {
  readonly partition: number;
  private readonly options: AssignmentOptions;
  private readonly epoch: number;
  private readonly checkpoints: Map<Topic, Checkpoint>;
  /** Whether something may wait in the outbox: what earlier owners left, or a unit of this one. */
  private unpublished: boolean;
  private failedInARow = 0;
  private readonly releasing = new AbortController();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: AssignmentOptions, epoch: number, checkpoints: Map<Topic, Checkpoint>) {
    this.options = options;
    this.partition = options.partition;
    this.epoch = epoch;
    this.checkpoints = checkpoints;
    this.unpublished = options.publish !== undefined;
  }

  /** Whether there may be something to {@link publish}. */
  get hasUnpublished(): boolean {
    return this.unpublished;
  }

  /** The next offset to apply of a topic. */
  nextOffset(topic: Topic): number {
    return this.at(topic).nextOffset;
  }

  /** Digest of the record before {@link nextOffset}; undefined at the start of the log. */
  digestAt(topic: Topic): string | undefined {
    return this.at(topic).digest;
  }

  /**
   * Publishes what units left, then applies records of a topic, in order, and publishes what comes of them. Records
   * below the checkpoint are skipped; errors that pass are waited out for a moment.
   *
   * @throws AtlasError ATLAS_ASSIGNMENT_LOST (another member took over), ATLAS_LOG_REPLACED, ATLAS_SCHEMA_NEWER,
   *   ATLAS_PROCESSOR_OUTDATED (all before it was applied), ATLAS_PUBLISH_REFUSED, ATLAS_CONSUMER_UNHEALTHY, and what
   *   is transient
   */
  apply(topic: Topic, records: readonly RawRecord[]): Promise<void> {
    return this.inTurn(() => this.applyAll(topic, records));
  }

  /**
   * Publishes what units left in the outbox. Nothing is applied before that is done: a log that refuses it is the
   * trouble of this assignment, and no record's fault.
   *
   * @throws AtlasError ATLAS_PUBLISH_REFUSED, ATLAS_ASSIGNMENT_LOST, and what is transient
   */
  publish(): Promise<void> {
    return this.inTurn(() => this.publishAll());
  }

  /** Says that somebody else put something into the outbox. */
  expectUnpublished(): void {
    this.unpublished = this.options.publish !== undefined;
  }

  /** Finishes the unit under way and applies nothing more. */
  async release(): Promise<void> {
    this.releasing.abort(lost(this.partition, this.options.group));
    await this.turn;
  }

  private get key() {
    return { group: this.options.group, partition: this.partition };
  }

  private at(topic: Topic): Checkpoint {
    return this.checkpoints.get(topic) ?? { nextOffset: this.beginOf(topic), digest: undefined };
  }

  private beginOf(topic: Topic): number {
    return this.options.beginOf?.(topic) ?? 0;
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => {});
    return mine;
  }

  private async applyAll(topic: Topic, records: readonly RawRecord[]): Promise<void> {
    await this.publishAll();
    const fresh = this.fresh(topic, records);
    for (let from = 0; from < fresh.length; from += this.options.batchSize) {
      await this.applyOrSetAside(topic, fresh.slice(from, from + this.options.batchSize));
      await this.publishAll();
    }
  }

  private async publishAll(): Promise<void> {
    const { publish } = this.options;
    if (publish === undefined || !this.unpublished) return;
    try {
      await this.patiently(() => this.drainOutbox(publish));
    } catch (error) {
      throw isTransient(error) || isFatal(error) ? error : this.refused(error);
    }
  }

  private async drainOutbox(publish: (records: readonly OutgoingRecord[]) => Promise<void>): Promise<void> {
    const { db } = this.options;
    for (;;) {
      const { records, last } = await readOutbox(db, this.key, this.epoch, OUTBOX_BATCH);
      if (records.length === 0) break;
      for (const batch of batchesOf(records)) await publish(batch);
      await clearOutbox(db, this.key, this.epoch, last);
      this.options.onProgress?.();
    }
    this.unpublished = false;
  }

  private refused(error: unknown): AtlasError {
    const { group } = this.options;
    const hint = isAtlasError(error) ? error.hint : undefined;
    return new AtlasError(
      "ATLAS_PUBLISH_REFUSED",
      `the log refuses what ${group} derived: ${messageOf(error)}`,
      {
        where: `partition ${this.partition} of ${group}`,
        hint: hint ?? "Mend the cause: nothing is lost, and the consumer goes on by itself.",
        cause: error,
      },
    );
  }

  /** What is not applied yet. What is, must be what was applied. */
  private fresh(topic: Topic, records: readonly RawRecord[]): readonly RawRecord[] {
    const { nextOffset, digest } = this.at(topic);
    const previous = records.find((record) => record.offset === nextOffset - 1);
    if (previous !== undefined && digest !== undefined && digestOf(previous.body) !== digest) {
      throw this.replaced(topic, `offset ${nextOffset - 1} holds another record than before`);
    }
    const fresh = records.filter((record) => record.offset >= nextOffset);
    const first = fresh[0];
    if (first !== undefined && first.offset > nextOffset) {
      throw this.replaced(topic, `offsets ${nextOffset} to ${first.offset - 1} are gone`);
    }
    return fresh;
  }

  private replaced(topic: Topic, what: string): AtlasError {
    return new AtlasError(
      "ATLAS_LOG_REPLACED",
      `the log is not the one that ${this.options.group} read before: ${what}`,
      {
        where: `${topic}[${this.partition}]`,
        hint: hintOfLoss(topic, "Restore the log, or rebuild from it into a fresh database."),
      },
    );
  }

  private async applyOrSetAside(topic: Topic, records: readonly RawRecord[]): Promise<void> {
    try {
      await this.patiently(() => this.unit(topic, records));
      this.failedInARow = 0;
    } catch (error) {
      if (isFatal(error) || isTransient(error)) throw error;
      if (records.length > 1) {
        const middle = records.length >> 1;
        await this.applyOrSetAside(topic, records.slice(0, middle));
        await this.applyOrSetAside(topic, records.slice(middle));
        return;
      }
      const record = records[0]!;
      this.failedInARow += 1;
      if (this.failedInARow >= POISON_STORM) throw stormError(this.options.group, record, error);
      await this.patiently(() => this.setAside(topic, record, error));
      this.options.onDeadLetter?.(record, error);
    }
  }

  private patiently(work: () => Promise<void>): Promise<void> {
    const { signal } = this.releasing;
    return retry(work, { ...PATIENCE, signal, onRetry: this.options.onRetry });
  }

  /** One unit of work: everything or nothing. */
  private async unit(topic: Topic, records: readonly RawRecord[]): Promise<void> {
    const { readable, newer } = decodeAll(records);
    if (readable.length > 0) await this.commit(topic, records[readable.length - 1]!, readable);
    if (newer !== undefined) throw newer;
  }

  private setAside(topic: Topic, record: RawRecord, error: unknown): Promise<void> {
    const letter = this.options.mask(deadLetter(this.options.group, record, error, tryDecode(record)));
    return this.commit(topic, record, [], [withLogged(letter, { learning_key: record.key })]);
  }

  private async commit(
    topic: Topic,
    last: RawRecord,
    batch: readonly LogRecord[],
    letters: readonly Masked[] = [],
  ): Promise<void> {
    const { onUnit } = this.options;
    const began = performance.now();
    const report = (emitted: number, failure: { error?: unknown } = {}): void =>
      onUnit?.({
        topic,
        partition: this.partition,
        offset: batch[0]?.offset ?? last.offset,
        records: Math.max(1, batch.length),
        emitted,
        durationMs: performance.now() - began,
        ...failure,
      });
    try {
      report(await this.commitUnit(topic, last, batch, letters));
    } catch (error) {
      report(0, { error });
      throw error;
    }
  }

  /** @returns how many events were emitted */
  private async commitUnit(
    topic: Topic,
    last: RawRecord,
    batch: readonly LogRecord[],
    letters: readonly Masked[],
  ): Promise<number> {
    const { db, prepare, partitions, apply } = this.options;
    const expected = this.nextOffset(topic);
    const checkpoint = { nextOffset: last.offset + 1, digest: digestOf(last.body) };
    await prepare?.(batch);
    const emitted = await db.transaction(async (transaction) => {
      const tx = watched(transaction, this.options.onProgress);
      const locked = await lockAssignment(tx, this.key, this.epoch, topic);
      const { nextOffset: committed = this.beginOf(topic), shadow } = locked;
      // The connection broke while this very unit committed: it is done, and its outbox may still be full.
      if (committed === checkpoint.nextOffset) return UNKNOWN;
      if (committed !== expected) throw lost(this.partition, this.options.group);
      const emitted = await applyOnce(tx, { key: this.key, topic, batch, apply });
      if (shadow && emitted.length > 0) await putShadow(tx, this.key, shadowedOf(emitted, partitions));
      const published = shadow ? [] : emitted.map(({ event }) => event);
      const outgoing = toOutgoing([...letters, ...published], partitions);
      await this.keep(tx, outgoing);
      await saveCheckpoint(tx, this.key, topic, checkpoint);
      return outgoing.length;
    });
    this.checkpoints.set(topic, checkpoint);
    if (emitted === 0) return 0;
    this.expectUnpublished();
    this.options.onCommit?.();
    return Math.max(0, emitted);
  }

  private async keep(tx: Queryable, outgoing: readonly OutgoingRecord[]): Promise<void> {
    if (outgoing.length === 0) return;
    const { appendInUnit } = this.options;
    if (appendInUnit === undefined) return putOutbox(tx, this.key, outgoing);
    try {
      await appendInUnit(tx, outgoing);
    } catch (error) {
      throw isTransient(error) ? error : this.refused(error);
    }
  }
}

/** Takes over an assignment: fences its earlier owners, and finds where they were. */
export async function claimAssignment(options: AssignmentOptions): Promise<Assignment> {
  const key = { group: options.group, partition: options.partition };
  const epoch = await takeOver(options.db, key, options.member, options.logId);
  const { versioned } = options;
  if (versioned !== undefined) await settleShadow(options.db, key, () => versioned.answeredElsewhere());
  const begins = options.topics.map((topic) => ({ topic, nextOffset: options.beginOf?.(topic) ?? 0 }));
  await saveBegins(options.db, key, begins);
  return new Assignment(options, epoch, await loadCheckpoints(options.db, key));
}

/** Tells of every statement that was answered. */
function watched(tx: Queryable, onProgress: (() => void) | undefined): Queryable {
  if (onProgress === undefined) return tx;
  return {
    query: async <Row>(...statement: Parameters<Queryable["query"]>) => {
      const answer = await tx.query<Row>(...statement);
      onProgress();
      return answer;
    },
  };
}

const FATAL = [
  "ATLAS_ASSIGNMENT_LOST",
  "ATLAS_LOG_REPLACED",
  "ATLAS_LOG_CLOSED",
  "ATLAS_SCHEMA_NEWER",
  "ATLAS_CONSUMER_UNHEALTHY",
  "ATLAS_PROCESSOR_IMPURE",
  "ATLAS_PROCESSOR_INVALID",
  "ATLAS_PROCESSOR_OUTDATED",
  "ATLAS_PUBLISH_REFUSED",
] as const;

/** Errors that setting a record aside would not mend. */
const isFatal = (error: unknown): boolean => FATAL.some((code) => isAtlasError(error, code));

const MENDED = ["ATLAS_SCHEMA_NEWER", "ATLAS_PROCESSOR_OUTDATED", "ATLAS_PUBLISH_REFUSED"] as const;

/** Errors that somebody mends, of this process, the log or what is stored: who meets one waits, and goes on by itself. */
export const waitsForMending = (error: unknown): boolean => MENDED.some((code) => isAtlasError(error, code));

const lost = (partition: number, group: string): AtlasError =>
  new AtlasError("ATLAS_ASSIGNMENT_LOST", `partition ${partition} of ${group} was given up`);

function tryDecode(record: RawRecord): AtlasEvent | undefined {
  try {
    return decodeRecord(record).event;
  } catch {
    return undefined;
  }
}

/** Decodes up to the first record of a newer schema: what comes before it can be applied. */
function decodeAll(records: readonly RawRecord[]): { readable: LogRecord[]; newer: unknown } {
  const readable: LogRecord[] = [];
  for (const raw of records) {
    try {
      readable.push(decodeRecord(raw));
    } catch (error) {
      if (isAtlasError(error, "ATLAS_SCHEMA_NEWER")) return { readable, newer: error };
      throw error;
    }
  }
  return { readable, newer: undefined };
}
