import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import type { Masking } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Apply, ConsumeOptions, Consumer, OutgoingRecord } from "../event-log.ts";
import { held } from "../held.ts";
import { type Assignment, claimAssignment, waitsForUpgrade } from "../runner/assignment.ts";
import { memberName } from "../runner/member.ts";
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
    mask: Masking;
    publish: (records: readonly OutgoingRecord[]) => Promise<void>;
    /** Names the database of the checkpoints. */
    databaseId: string;
  };
}

/** An assignment that this member works on. */
interface Slot {
  assignment: Assignment;
  /** Where to fetch from, by topic; undefined until the log was found to be the one that was read before. */
  places: ReadonlyMap<Topic, number> | undefined;
  /** Records of it are being applied. */
  busy: boolean;
  /** Nothing is fetched for it before this time. */
  restingUntil: number;
  /** Whether it waits for something outside, and the caller knows. */
  troubled: boolean;
}

const FETCH_BYTES = 1024 * 1024;
/** How long a fetch may wait while records of other assignments are being applied: they want to be next. */
const BUSY_WAIT_MS = 20;
const IDLE_MS = 100;
const REST_MS = 2000;
const MIRROR_MS = 5000;
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
  private readonly slots = new Map<number, Slot>();
  private readonly topicOf: Map<string, Topic>;
  /** What the group gave to this member. */
  private given: ReadonlySet<number> = new Set();
  /** Lost to another member according to the database, although the group gave them to this one. */
  private readonly disputed = new Set<number>();
  private sharing: Promise<void> = Promise.resolve();
  private stopped = false;
  private failure: unknown;
  private mirroredAt = performance.now();
  private wake: () => void = () => {};

  constructor(options: KafkaConsumerOptions, apply: Apply) {
    const { settings, partitions } = options.log;
    this.options = options;
    this.apply = apply;
    this.group = options.group;
    this.fetcher = new Fetcher(settings);
    this.topicOf = new Map(options.topics.map((topic) => [settings.prefix + topic, topic]));
    this.membership = new Membership({
      settings,
      group: `${settings.prefix}${options.group}.${options.log.databaseId.slice(0, 8)}`,
      topics: [...this.topicOf.keys()],
      partitions,
      onAssigned: (given) => this.share(new Set(given)),
      onConfirmed: () => this.settleDisputes(),
      onTrouble: (error) => this.options.onRetry?.(error),
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
      if (performance.now() - this.mirroredAt > MIRROR_MS) void this.mirror();
    }
    await this.sharing;
    const offsets = this.mirror();
    await Promise.all([...this.slots.keys()].map((partition) => this.drop(partition)));
    await Promise.race([offsets, sleep(LAST_MIRROR_MS, undefined, { ref: false })]);
    await this.membership.leave();
    await this.fetcher.close();
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
      await retry(fetch, { ...BROKER_BACKOFF, onRetry: this.options.onRetry });
    } catch (error) {
      this.fail(error);
    }
  }

  private async fetchOnce(): Promise<void> {
    const now = performance.now();
    const idle = [...this.slots.values()].filter((slot) => !slot.busy && slot.restingUntil <= now);
    if (idle.length === 0) return this.rest();
    if (idle.some(({ places }) => places === undefined)) await this.findPlaces(idle);
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

  private async work(slot: Slot, fetched: readonly Fetched[]): Promise<void> {
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
      if (slot.places !== undefined) slot.places = places;
      if (slot.troubled) this.options.onRetry?.(undefined);
      slot.troubled = false;
    } catch (error) {
      await this.settle(slot, error);
    } finally {
      slot.busy = false;
      this.wake();
    }
  }

  private async settle(slot: Slot, error: unknown): Promise<void> {
    const { partition } = slot.assignment;
    if (isAtlasError(error, "ATLAS_ASSIGNMENT_LOST")) {
      if (this.slots.get(partition) !== slot) return;
      await this.drop(partition);
      this.disputed.add(partition);
    } else if (waitsForUpgrade(error) || isTransient(error)) {
      slot.places = undefined;
      slot.restingUntil = performance.now() + REST_MS;
      slot.troubled = true;
      this.options.onRetry?.(error);
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
        { ...BROKER_BACKOFF, passes: isTransient, onRetry: this.options.onRetry },
      );
      if (assignment === undefined || !this.given.has(partition)) return;
      this.slots.set(partition, {
        assignment,
        places: undefined,
        busy: false,
        restingUntil: 0,
        troubled: false,
      });
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
      batchSize,
      logId: log.id,
      partition,
      partitions: log.partitions,
      member: this.member,
      apply: this.apply,
      mask: log.mask,
      publish: log.publish,
    });
  }

  /** Goes on at the last record applied, so that its digest tells whether this is the log that it came from. */
  private async findPlaces(slots: readonly Slot[]): Promise<void> {
    const { partitions } = this.options.log;
    const names = [...this.topicOf.keys()];
    const [starts, ends] = await Promise.all([
      this.fetcher.starts(names, partitions),
      this.fetcher.ends(names, partitions),
    ]);
    for (const slot of slots) {
      const { assignment } = slot;
      const places = new Map<Topic, number>();
      for (const [name, topic] of this.topicOf) {
        const start = starts.get(name)![assignment.partition]!;
        const end = ends.get(name)![assignment.partition]!;
        const next = assignment.nextOffset(topic);
        if (start > next || end < next)
          throw this.replaced(`${name}[${assignment.partition}]`, next, start, end);
        places.set(topic, Math.max(start, next - 1));
      }
      slot.places = places;
    }
  }

  private replaced(where: string, next: number, start: number, end: number): AtlasError {
    const message = `${this.group} goes on at offset ${next}, and the log has ${start} up to before ${end}`;
    const hint = "Restore the log, or rebuild from it into a fresh database.";
    return new AtlasError("ATLAS_LOG_REPLACED", message, { where, hint });
  }

  private async drop(partition: number): Promise<void> {
    const slot = this.slots.get(partition);
    if (slot === undefined) return;
    this.slots.delete(partition);
    await slot.assignment.release();
    this.options.onAssignmentChange?.(partition);
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
