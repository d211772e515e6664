import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import { closeInTime } from "../../errors/close-in-time.ts";
import { retry } from "../../errors/retry.ts";
import type { Masking } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Apply, ConsumeOptions, Consumer, OutgoingRecord } from "../event-log.ts";
import { held } from "../held.ts";
import { hintOfLoss } from "../lost-records.ts";
import { type Assignment, claimAssignment, waitsForMending } from "../runner/assignment.ts";
import { partitionsWithOutbox } from "../runner/assignment-store.ts";
import { Loop } from "../runner/loops.ts";
import { memberName, STOP_MS } from "../runner/member.ts";
import { Slot } from "../runner/slot.ts";
import { Troubles } from "../runner/troubles.ts";
import type { Begins } from "./begins.ts";
import { BROKER_BACKOFF, logError } from "./failures.ts";
import { type Fetched, Fetcher } from "./fetcher.ts";
import { Membership } from "./membership.ts";
import { toRecords } from "./message.ts";
import type { Registry } from "./registry.ts";
import type { KafkaSettings } from "./settings.ts";

/** What a consumer needs of the log that it reads. */
export interface KafkaConsumerOptions extends ConsumeOptions {
  db: Database;
  log: {
    id: string;
    partitions: number;
    settings: KafkaSettings;
    registry: Registry;
    begins: Begins;
    mask: Masking;
    publish: (records: readonly OutgoingRecord[]) => Promise<void>;
    /** Names the database of the checkpoints. */
    databaseId: string;
  };
}

/** Where an assignment is fetched from, by topic. */
class KafkaSlot extends Slot {
  /** Undefined until the log was found to be the one that was read before. */
  places: ReadonlyMap<Topic, number> | undefined;
}

const FETCH_BYTES = 1024 * 1024;
/** How long a fetch may wait while records of other assignments are being applied: they want to be next. */
const BUSY_WAIT_MS = 20;
const IDLE_MS = 100;
const MIRROR_MS = 5000;
/** How often the outbox is looked at for what others put into it. */
const OUTBOX_MS = 2000;
const LAST_MIRROR_MS = 1000;

/**
 * A member of a group. Kafka's group protocol only says which partitions are whose; the checkpoints are the
 * database's, and what guards them is the assignment's epoch there. One loop fetches for all assignments that have
 * nothing under way, so that a slow one neither holds up the others nor piles up records.
 */
export class KafkaConsumer implements Consumer {
  readonly group: string;
  readonly done: Promise<void>;
  private readonly options: KafkaConsumerOptions;
  private readonly apply: Apply;
  private readonly member = memberName();
  private readonly fetcher: Fetcher;
  private readonly membership: Membership;
  private readonly loop: Loop;
  private readonly troubles: Troubles;
  private readonly slots = new Map<number, KafkaSlot>();
  private readonly topicOf: Map<string, Topic>;
  /** What the group gave to this member. */
  private given: ReadonlySet<number> = new Set();
  /** Lost to another member according to the database, although the group gave them to this one. */
  private readonly disputed = new Set<number>();
  private sharing: Promise<void> = Promise.resolve();
  private stopped = false;
  private failure: unknown;
  private mirroredAt = performance.now();
  private outboxSeenAt = performance.now();
  private wake: () => void = () => {};

  constructor(options: KafkaConsumerOptions, apply: Apply) {
    const { settings, partitions } = options.log;
    this.options = options;
    this.apply = apply;
    this.group = options.group;
    this.fetcher = new Fetcher(settings);
    this.loop = new Loop(`consumer/${options.group}`);
    this.troubles = new Troubles(options.onRetry);
    this.topicOf = new Map(options.topics.map((topic) => [settings.prefix + topic, topic]));
    this.membership = new Membership({
      settings,
      group: `${settings.prefix}${options.group}.${options.log.databaseId.slice(0, 8)}`,
      topics: [...this.topicOf.keys()],
      partitions,
      onAssigned: (given) => this.share(new Set(given)),
      onConfirmed: () => this.settleDisputes(),
      onTrouble: this.troubles.of("group"),
      onRefused: (error) => this.fail(error),
    });
    this.done = this.run();
    this.done.catch(() => {});
    if (options.background !== true) void held(this.done).catch(() => {});
    this.membership.join();
  }

  get assignments(): readonly number[] {
    return [...this.slots.keys()].sort((a, b) => a - b);
  }

  async stop(): Promise<void> {
    this.halt();
    await held(this.done).catch(() => {});
  }

  private fail(error: unknown): void {
    if (this.stopped) return;
    this.failure = error;
    this.halt();
  }

  private halt(): void {
    this.stopped = true;
    this.wake();
    void this.fetcher.close();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.fetchPatiently();
      const now = performance.now();
      if (now - this.mirroredAt > MIRROR_MS) void this.mirror();
      if (now - this.outboxSeenAt > OUTBOX_MS) void this.lookIntoOutbox();
    }
    const offsets = this.mirror();
    const releasing = this.sharing.then(() =>
      Promise.all([...this.slots.keys()].map((partition) => this.drop(partition))),
    );
    await closeInTime(releasing, STOP_MS);
    await Promise.race([offsets, sleep(LAST_MIRROR_MS, undefined, { ref: false })]);
    await this.membership.leave();
    await this.fetcher.close();
    this.loop.end();
    if (this.failure !== undefined) throw this.failure;
  }

  /** After a failed fetch the log may be another one: every place is looked up, and its last record checked, again. */
  private async fetchPatiently(): Promise<void> {
    const fetch = async (): Promise<void> => {
      try {
        await this.fetchOnce();
      } catch (failure) {
        if (this.stopped) return;
        for (const slot of this.slots.values()) slot.places = undefined;
        throw this.asLogError(failure);
      }
    };
    try {
      const tell = this.troubles.of("fetch");
      const onRetry = (error: unknown): void => {
        this.loop.tried();
        tell(error);
      };
      await retry(fetch, { ...BROKER_BACKOFF, onRetry });
      this.loop.tried();
    } catch (error) {
      this.fail(error);
    }
  }

  private async fetchOnce(): Promise<void> {
    const ready = [...this.slots.values()].filter((slot) => slot.ready);
    // What could not be published comes before anything else is fetched.
    for (const slot of ready) if (slot.assignment.hasUnpublished) void this.work(slot, []);
    const idle = ready.filter((slot) => !slot.busy);
    if (idle.length === 0) return this.rest();
    if (idle.some(({ places }) => places === undefined)) await this.findPlaces(idle);
    this.loop.tried();
    const { settings } = this.options.log;
    const wanted = idle.flatMap(({ assignment: { partition }, places = new Map<Topic, number>() }) =>
      [...places].map(([topic, offset]) => ({ topic: settings.prefix + topic, partition, offset })),
    );
    const maxWaitMs = idle.length < this.slots.size ? BUSY_WAIT_MS : settings.maxWaitTimeMs;
    const fetched = await this.fetcher.fetch(wanted, { maxWaitMs, bytesPerPartition: FETCH_BYTES });
    for (const slot of idle) {
      const { partition } = slot.assignment;
      const mine = fetched.filter((each) => each.partition === partition && each.messages.length > 0);
      // It may have been lost while the broker waited for records.
      if (mine.length > 0 && this.slots.get(partition) === slot) void this.work(slot, mine);
    }
  }

  /** Waits until an assignment has nothing under way any more, or for a moment. */
  private async rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async work(slot: KafkaSlot, fetched: readonly Fetched[]): Promise<void> {
    slot.busy = true;
    try {
      const places = new Map(slot.places);
      for (const { topic: name, partition, messages } of fetched) {
        const topic = this.topicOf.get(name)!;
        const records = await toRecords(topic, partition, messages, this.options.log.registry);
        if (this.stopped) return;
        await slot.assignment.apply(topic, records);
        places.set(topic, records.at(-1)!.offset + 1);
      }
      await slot.assignment.publish();
      if (slot.places !== undefined) slot.places = places;
      slot.goesOn();
      this.troubles.of(slot.assignment.partition)(undefined);
    } catch (error) {
      await this.settle(slot, error);
    } finally {
      slot.busy = false;
      this.loop.tried();
      this.wake();
    }
  }

  private async settle(slot: KafkaSlot, error: unknown): Promise<void> {
    const { partition } = slot.assignment;
    if (isAtlasError(error, "ATLAS_ASSIGNMENT_LOST")) {
      if (this.slots.get(partition) !== slot) return;
      await this.drop(partition);
      this.disputed.add(partition);
    } else if (waitsForMending(error) || isTransient(error)) {
      slot.places = undefined;
      slot.rest();
      this.troubles.of(partition)(error);
    } else {
      this.fail(error);
    }
  }

  /** Takes the group's word for what belongs to this member, one change after the other. */
  private share(given: ReadonlySet<number>): void {
    this.given = given;
    this.disputed.clear();
    this.sharing = this.sharing.then(async () => {
      const lost = [...this.slots.keys()].filter((partition) => !this.given.has(partition));
      await Promise.all(lost.map((partition) => this.drop(partition)));
      await this.claimMissing();
    });
  }

  /**
   * The database gave an assignment to another member after the group had given it to this one. Whoever the group's
   * coordinator confirms afterwards is right, and takes it back; a member that was asleep learns that it is not.
   */
  private settleDisputes(): void {
    if (this.disputed.size === 0) return;
    this.disputed.clear();
    this.sharing = this.sharing.then(() => this.claimMissing());
  }

  private async claimMissing(): Promise<void> {
    const missing = [...this.given].filter(
      (partition) => !this.slots.has(partition) && !this.disputed.has(partition),
    );
    await Promise.all(missing.map((partition) => this.claim(partition)));
  }

  private async claim(partition: number): Promise<void> {
    const isWanted = (): boolean => this.given.has(partition) && !this.stopped;
    try {
      const assignment = await retry(
        // What was given to another member meanwhile must not be taken from it.
        async () => (isWanted() ? this.takeOver(partition) : undefined),
        { ...BROKER_BACKOFF, passes: isTransient, onRetry: this.troubles.of(partition) },
      );
      if (assignment === undefined || !this.given.has(partition)) return;
      this.slots.set(partition, new KafkaSlot(assignment));
      this.options.onAssignmentChange?.(partition);
      this.wake();
    } catch (error) {
      this.fail(error);
    }
  }

  private takeOver(partition: number): Promise<Assignment> {
    const { log, batchSize = 500, ...consume } = this.options;
    return claimAssignment({
      ...consume,
      onRetry: this.troubles.of(partition),
      onProgress: () => this.loop.tried(),
      batchSize,
      logId: log.id,
      partition,
      partitions: log.partitions,
      member: this.member,
      apply: this.apply,
      mask: log.mask,
      publish: log.publish,
      beginOf: (topic) => log.begins.of(topic, partition),
    });
  }

  /** Goes on at the last record applied, so that its digest tells whether this is the log that it came from. */
  private async findPlaces(slots: readonly KafkaSlot[]): Promise<void> {
    const { partitions, begins } = this.options.log;
    const names = [...this.topicOf.keys()];
    const [starts, ends] = await Promise.all([
      this.fetcher.starts(names, partitions),
      this.fetcher.ends(names, partitions),
      begins.learn(),
    ]);
    for (const slot of slots) {
      const { assignment } = slot;
      const places = new Map<Topic, number>();
      for (const [name, topic] of this.topicOf) {
        const start = starts.get(name)![assignment.partition]!;
        const end = ends.get(name)![assignment.partition]!;
        const next = assignment.nextOffset(topic);
        if (start > next || end < next) throw this.replaced(topic, assignment.partition, next, [start, end]);
        places.set(topic, Math.max(start, next - 1));
      }
      slot.places = places;
    }
  }

  private replaced(
    topic: Topic,
    partition: number,
    next: number,
    [start, end]: [number, number],
  ): AtlasError {
    const message = `${this.group} goes on at offset ${next}, and the log has ${start} up to before ${end}`;
    const where = `${this.options.log.settings.prefix}${topic}[${partition}]`;
    const hint = hintOfLoss(topic, "Restore the log, or rebuild from it into a fresh database.");
    return new AtlasError("ATLAS_LOG_REPLACED", message, { where, hint });
  }

  private async drop(partition: number): Promise<void> {
    const slot = this.slots.get(partition);
    if (slot === undefined) return;
    this.slots.delete(partition);
    this.troubles.of(partition)(undefined);
    await slot.assignment.release();
    this.options.onAssignmentChange?.(partition);
  }

  /** What others put into the outbox, such as a record that was tried again, is the owner's to publish. */
  private async lookIntoOutbox(): Promise<void> {
    this.outboxSeenAt = performance.now();
    const waiting = await partitionsWithOutbox(this.options.db, this.group).catch(() => []);
    for (const partition of waiting) this.slots.get(partition)?.assignment.expectUnpublished();
  }

  /** Shows the group's progress to tools that look at committed offsets. Nothing here reads them. */
  private async mirror(): Promise<void> {
    this.mirroredAt = performance.now();
    const { prefix } = this.options.log.settings;
    const offsets = [...this.slots.values()].flatMap(({ assignment }) =>
      this.options.topics.map((topic) => ({
        topic: prefix + topic,
        partition: assignment.partition,
        offset: String(assignment.nextOffset(topic)),
      })),
    );
    await this.membership.commit(offsets).catch(() => {});
  }

  private asLogError(failure: unknown): AtlasError {
    return logError(failure, this.options.log.settings, `${this.group} cannot read`);
  }
}
