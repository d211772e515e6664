/**
 * The log port. A *record* is an event at its place (topic, partition, offset). A *group* is a named consumer with
 * its own progress. An *assignment* is partition p of every input topic of a group, owned by one *member* at a time.
 * A *checkpoint* is the next offset that an assignment has to apply of one of its topics. A *unit* of work is the
 * one Postgres transaction that applies a batch, advances the checkpoint and keeps what the consumer emits.
 */

import type { Database, Queryable } from "../database/database.ts";
import type { AtlasError } from "../errors/atlas-error.ts";
import type { EventDescription } from "../schemas/event-definitions.ts";
import type { AtlasEvent, Micros } from "../schemas/generated/events.ts";
import type { Masked, Masking } from "../schemas/masked.ts";
import type { Topic } from "../schemas/topics.ts";

/** Where a record stands in the log. */
export interface Position {
  topic: Topic;
  partition: number;
  offset: number;
}

/** A stored event, not yet decoded. */
export interface RawRecord extends Position {
  key: string;
  /** When the log took it, in microseconds; never decreases within a partition. */
  appendedAt: Micros;
  /** Which schema wrote the body; undefined for a record that is not ours. */
  fingerprint: string | undefined;
  body: Buffer;
}

/** A decoded event at its place. */
export interface LogRecord extends Position {
  key: string;
  appendedAt: Micros;
  event: AtlasEvent;
}

/** An encoded event on its way into the log. */
export interface OutgoingRecord {
  topic: Topic;
  partition: number;
  key: string;
  fingerprint: string;
  body: Buffer;
}

/** A bounded part of a topic: by offset, by append time, or all of it up to its present end. */
export type ReadRange =
  | { partition?: number; fromOffset?: number; untilOffset?: number }
  | { partition?: number; from?: Date; until?: Date };

/** The next offset of every partition of a topic. */
export type Ends = ReadonlyMap<Topic, readonly number[]>;

/** One transaction of a consumer. */
export interface Unit {
  /** Runs SQL in the transaction that also advances the checkpoint. */
  readonly tx: Queryable;
  readonly partition: number;
  /**
   * Emits derived events: they reach the log if and only if this unit commits, and, of a version of a processor, if that
   * version answers.
   *
   * @param cause the record of the batch that they come from; the last one unless told
   */
  emit(events: readonly Masked[], cause?: LogRecord): void;
}

/** How one unit of work went. */
export interface UnitReport {
  topic: Topic;
  partition: number;
  /** Offset of its first record. */
  offset: number;
  records: number;
  /** Events that it emitted; 0 where it failed. */
  emitted: number;
  durationMs: number;
  /** Why it was rolled back. */
  error?: unknown;
}

/** Applies a batch of records of one assignment, in order. */
export type Apply = (batch: readonly LogRecord[], unit: Unit) => Promise<void>;

/** What to consume, and how. */
export interface ConsumeOptions {
  group: string;
  /**
   * The group is a version of a processor, and is called `name@version`: of several versions one answers in each partition,
   * and what the others emit is kept until they are promoted. Asked when the database first has one: whether the log holds
   * results that another database has published.
   */
  versioned?: { answeredElsewhere(): Promise<boolean> };
  topics: readonly Topic[];
  /** Holds checkpoints, state and read models; the log's own database where it has one. */
  db?: Database;
  /** Most records of one unit; 500 unless told. */
  batchSize?: number;
  /** Called for each record that was set aside. */
  onDeadLetter?: (record: RawRecord, error: unknown) => void;
  /** Called when the consumer has to wait and try again, and with undefined when it goes on. */
  onRetry?: (error: unknown | undefined) => void;
  /** Called after each unit of work, whether it committed or was rolled back. Never throws. */
  onUnit?: (unit: UnitReport) => void;
  /** Runs before the unit's transaction opens: the place to look up what `apply` needs from elsewhere. */
  prepare?: (batch: readonly LogRecord[]) => Promise<void>;
  /** Called whenever an assignment is gained or lost, so that caches kept for it can be dropped. */
  onAssignmentChange?: (partition: number) => void;
  /** The process may end although this consumer was not stopped; unless told, a consumer keeps it alive. */
  background?: boolean;
}

/** What to subscribe to. */
export interface SubscribeOptions {
  /** Members of the same group share the partitions, and go on where the group has acknowledged. */
  group: string;
  topics: readonly Topic[];
  /** Ends the subscription. */
  signal?: AbortSignal;
  /** Called when the subscription has to wait and try again, and with undefined when it goes on. */
  onRetry?: (error: unknown | undefined) => void;
}

/** An event that comes again, here or at another member, until it is acknowledged. */
export type SubscribedEvent = AtlasEvent & {
  readonly position: Position;
  /** Says that this event is done with; what was delivered before it still counts on its own acknowledgement. */
  ack(): Promise<void>;
};

/** A running consumer. */
export interface Consumer {
  readonly group: string;
  /** Partitions that this member owns now. */
  readonly assignments: readonly number[];
  /** Rejects when the consumer stopped as unhealthy, resolves after {@link stop}. */
  readonly done: Promise<void>;
  /** Finishes the unit under way and leaves. */
  stop(): Promise<void>;
}

/** Something about a log that an operator should know although it answers. */
export interface LogNotice {
  /** `broken`: records are gone, or will go; `warning`: it could be safer. */
  level: "broken" | "warning";
  error: AtlasError;
}

/** One partition of a topic. */
export type PartitionPlace = Pick<Position, "topic" | "partition">;

/** What computes a derived topic again needs of a log. Primary topics are never filled anew. */
export interface Refilling {
  /** Where each partition of a topic begins: 0, but on Kafka where it was filled anew. */
  begins(topic: Topic): Promise<readonly number[]>;
  /** The partitions of a topic that no longer hold all that they were given. */
  damaged(topic: Topic): Promise<number[]>;
  /** What is left of a partition, undecoded. */
  left(tx: Queryable, place: PartitionPlace): AsyncIterable<readonly RawRecord[]>;
  /**
   * Puts records in the place of all that a partition holds. On Postgres they stand from offset 0 on, once the transaction has
   * committed. On Kafka nothing can be taken away: they stand behind what is there, and the partition begins with them.
   *
   * @returns the offset of the first, the one behind the last, and where the partition ended before
   */
  refill(
    tx: Queryable,
    place: PartitionPlace,
    records: AsyncIterable<readonly OutgoingRecord[]>,
  ): Promise<{ from: number; until: number; endBefore: number }>;
}

/** An append-only log of events. */
export interface EventLog {
  /** Names this log's contents; another log, or a recreated one, has another id. */
  readonly id: string;
  readonly kind: "postgres" | "kafka";
  readonly partitions: number;
  /** Human-readable address without credentials. */
  readonly address: string;
  /** Where checkpoints and read models live; undefined for a Kafka log opened without a database. */
  readonly db: Database | undefined;
  /**
   * Takes out of an event what this log must not hold, with the mask that the log was opened with. Every event goes
   * through it once, where it comes from outside; nothing else makes events that {@link append} takes.
   *
   * @throws AtlasError ATLAS_MASK_FAILED
   * @example
   * await log.append(events.map(log.mask));
   */
  readonly mask: Masking;
  /**
   * Makes the log ready for events that users defined: creates their topics where they are missing, and learns to read
   * the earlier versions that it has of them.
   *
   * @throws AtlasError ATLAS_SCHEMA_INCOMPATIBLE where the log has a version that does not go with the present one;
   *   ATLAS_LOG_MISCONFIGURED, ATLAS_LOG_UNREACHABLE, ATLAS_REGISTRY_UNREACHABLE
   * @example
   * await log.define([tenantCost]);
   */
  define(events: readonly EventDescription[]): Promise<void>;
  /**
   * The events of users that the log has, and from now on can be read here: on Postgres all of them, whoever defined them; on
   * Kafka those that this process has defined.
   */
  definitions(): Promise<readonly EventDescription[]>;
  /**
   * Appends events in order and resolves once they are durable.
   *
   * @throws AtlasError ATLAS_EVENT_INVALID, ATLAS_EVENT_TOO_LARGE, ATLAS_EVENT_UNMASKED (nothing was appended), or
   *   ATLAS_LOG_UNREACHABLE, ATLAS_DISK_FAILED or ATLAS_DISK_FULL (some may have been: appending the same events again is
   *   safe)
   */
  append(events: readonly Masked[]): Promise<void>;
  /** When it last answered this process anything, by `performance.now()`: who waits for an append may be waiting in a line. */
  readonly heardAt?: (() => number | undefined) | undefined;
  /**
   * Appends in a transaction of {@link db}; undefined where the log is elsewhere, and an outbox has to keep what a unit
   * emits until the log has it.
   */
  readonly appendInUnit?: ((tx: Queryable, records: readonly OutgoingRecord[]) => Promise<void>) | undefined;
  /**
   * Reads the next records of one partition in a transaction of {@link db}, none at its end; undefined where the log is elsewhere, and {@link read} does
   * not wait for the transaction.
   */
  readonly readInUnit?: ((tx: Queryable, from: Position) => Promise<LogRecord[]>) | undefined;
  /** Tells consumers of what {@link appendInUnit} appended, once that is committed. */
  readonly announce?: (() => void) | undefined;
  /** Fills derived topics anew; undefined where the events are not at hand. */
  readonly refilling?: Refilling | undefined;
  /** Reads a bounded range of topics, one partition after the other, in batches. */
  read(topics: readonly Topic[], range?: ReadRange): AsyncIterable<readonly LogRecord[]>;
  /** Like {@link read}, without decoding: for copies, checks and rebuilds that keep the bytes. */
  readRaw(topics: readonly Topic[], range?: ReadRange): AsyncIterable<readonly RawRecord[]>;
  /** The end of each partition, now. */
  ends(topics: readonly Topic[]): Promise<Ends>;
  /** Starts a consumer: exactly one effect of each record, whatever crashes. */
  consume(options: ConsumeOptions, apply: Apply): Promise<Consumer>;
  /**
   * Delivers events at least once, until the signal aborts: for outsiders without a database of their own.
   *
   * @example
   * for await (const event of log.subscribe({ group: "pager", topics: ["atlas.drift"] })) {
   *   await page(event);
   *   await event.ack();
   * }
   */
  subscribe(options: SubscribeOptions): AsyncIterable<SubscribedEvent>;
  /** Resolves when a group's checkpoints have reached these ends and everything it emitted is in the log. */
  caughtUp(
    group: string,
    ends: Ends,
    options?: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<void>;
  /**
   * Looks whether the log still is what it was made as: whole, kept for ever, with as many partitions and copies. What is
   * wrong is told, not thrown.
   *
   * @throws AtlasError when it does not answer
   */
  check(): Promise<LogNotice[]>;
  close(): Promise<void>;
}
