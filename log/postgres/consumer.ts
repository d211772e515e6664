import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import { closeInTime } from "../../errors/close-in-time.ts";
import { type Backoff, backoffMs } from "../../errors/retry.ts";
import type { Masking } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Apply, ConsumeOptions, Consumer, Ends } from "../event-log.ts";
import { held } from "../held.ts";
import { hintOfLoss } from "../lost-records.ts";
import { type Assignment, claimAssignment, digestOf, waitsForMending } from "../runner/assignment.ts";
import { Loop } from "../runner/loops.ts";
import { memberName, STOP_MS } from "../runner/member.ts";
import { Slot } from "../runner/slot.ts";
import { Troubles } from "../runner/troubles.ts";
import { appendRecords, readBatch, readEnds } from "./event-store.ts";
import { type Leases, leaseTimes, openLeases } from "./leases.ts";
import type { News } from "./news.ts";
import type { Wake } from "./wake.ts";
import type { Watch } from "./watch.ts";

/** What a consumer needs of the log that it reads. */
export interface PostgresConsumerOptions extends ConsumeOptions {
  log: {
    id: string;
    partitions: number;
    db: Database;
    wake: Wake;
    news: News;
    watch: Watch;
    sameHost: boolean;
    mask: Masking;
  };
  /** How many assignments are worked on at a time. */
  concurrency: number;
}

/** How long it waits while the database does not answer. */
const TROUBLE: Backoff = { firstMs: 100, longestMs: 2000 };

/**
 * A member of a group on the Postgres log. One loop renews its leases and starts work on assignments that are behind; each
 * is worked on by itself, so that one that cannot go on, or takes long, holds up no other.
 */
export class PostgresConsumer implements Consumer {
  readonly group: string;
  readonly done: Promise<void>;
  private readonly options: PostgresConsumerOptions;
  private readonly apply: Apply;
  private readonly member = memberName();
  private readonly leases: Leases;
  private readonly renewMs: number;
  private readonly loop: Loop;
  private readonly wake: Wake;
  private readonly troubles: Troubles;
  private readonly slots = new Map<number, Slot>();
  private readonly working = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private ends: Ends = new Map();
  private renewedAt = Number.NEGATIVE_INFINITY;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private lookedFor = -1;
  private membersSeen = 0;
  private failures = 0;
  private failure: unknown;

  constructor(options: PostgresConsumerOptions, apply: Apply) {
    const { group, log } = options;
    const { db, partitions, id: logId, sameHost, watch } = log;
    this.options = options;
    this.apply = apply;
    this.group = group;
    const { member } = this;
    this.leases = openLeases({ db, group, member, partitions, logId, sameHost, watch });
    this.renewMs = leaseTimes(sameHost).renewMs;
    this.loop = new Loop(`consumer/${group}`);
    watch.join({ group, member, alive: () => !this.stopped && this.loop.alive });
    this.wake = log.wake.branch(this.stopping.signal);
    this.troubles = new Troubles(options.onRetry);
    this.done = this.run();
    this.done.catch(() => {});
    if (options.background !== true) void held(this.done).catch(() => {});
  }

  get assignments(): readonly number[] {
    return [...this.slots.keys()].sort((a, b) => a - b);
  }

  async stop(): Promise<void> {
    this.halt();
    await held(this.done).catch(() => {});
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private fail(error: unknown): void {
    if (this.stopped) return;
    this.failure = error;
    this.halt();
  }

  private halt(): void {
    this.stopping.abort();
    this.wake.notify();
  }

  private async run(): Promise<void> {
    // While the loop waits for an answer, too: but not for a loop that has stopped getting on.
    const beat = setInterval(() => {
      const late = performance.now() - this.renewedAt > 1.5 * this.renewMs;
      if (late && this.loop.alive) void this.leases.beat().catch(() => undefined);
    }, this.renewMs);
    beat.unref();
    while (!this.stopped) await this.turn();
    clearInterval(beat);
    const releasing = Promise.all([...this.slots.keys()].map((partition) => this.drop(partition)));
    await closeInTime(
      releasing
        .then(() => this.leases.release().catch(() => {}))
        .then(() => this.options.log.news.tellMembers()),
      STOP_MS,
    );
    this.loop.end();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Starts what there is to do, and waits until there is more. */
  private async turn(): Promise<void> {
    const seen = this.wake.count;
    const tell = this.troubles.of(this.member);
    const { news, wake } = this.options.log;
    const told = wake.count;
    let pauseMs = 0;
    try {
      const due = performance.now() - this.renewedAt >= this.renewMs || news.members !== this.membersSeen;
      if (due) await this.renew();
      if (!this.start() && this.isNews(told)) {
        this.ends = await readEnds(this.options.log.db, this.options.topics);
        this.lookedAt = performance.now();
        this.lookedFor = told;
        this.start();
      }
      this.failures = 0;
      tell(undefined);
      // Who goes by the same look is due at the same time, and so one look does for all again.
      const untilDue = this.renewedAt + this.renewMs - performance.now();
      pauseMs = Math.min(news.pollMs(), Math.max(untilDue, 1));
    } catch (error) {
      if (!isTransient(error)) return this.fail(error);
      this.failures += 1;
      pauseMs = backoffMs(TROUBLE, this.failures);
      tell(error);
    }
    this.loop.tried();
    for (const { restMs } of this.slots.values()) if (restMs > 0) pauseMs = Math.min(pauseMs, restMs);
    if (!this.stopped) await this.wake.after(seen, pauseMs);
  }

  /** Whether there may be more in the log than was seen there last: nobody asks for what is told. */
  private isNews(told: number): boolean {
    const { news } = this.options.log;
    return told !== this.lookedFor || performance.now() - this.lookedAt >= news.pollMs();
  }

  private async renew(): Promise<void> {
    const { news } = this.options.log;
    this.membersSeen = news.members;
    // Of the members of this process one asks for all, who take what it saw.
    const since = Math.max(news.membersAt, performance.now() - this.renewMs / 2);
    const { held, seen } = await this.leases.renew(since);
    if (this.renewedAt < 0) news.tellMembers();
    this.renewedAt = seen.began;
    if (seen.began > this.lookedAt) [this.ends, this.lookedAt] = [seen.ends, seen.began];
    const owned = new Set(held);
    for (const partition of this.assignments) if (!owned.has(partition)) await this.drop(partition);
    for (const partition of owned) if (!this.slots.has(partition)) await this.claim(partition);
  }

  /**
   * Starts work on assignments that are behind, as many as may be worked on at a time.
   *
   * @returns whether there is as much under way as may be, as far as the ends are known
   */
  private start(): boolean {
    const { topics, concurrency } = this.options;
    for (const [partition, slot] of [...this.slots]) {
      if (this.working.size >= concurrency) return true;
      const behind = topics.filter(
        (topic) => this.endOf(topic, partition) > slot.assignment.nextOffset(topic),
      );
      if (!slot.ready || behind.length === 0) continue;
      // Next time it is the turn of the others.
      this.slots.delete(partition);
      this.slots.set(partition, slot);
      const work = this.work(slot, behind).finally(() => {
        this.working.delete(work);
        this.wake.notify();
      });
      this.working.add(work);
    }
    return this.working.size >= concurrency;
  }

  private endOf(topic: Topic, partition: number): number {
    return this.ends.get(topic)?.[partition] ?? 0;
  }

  private async work(slot: Slot, behind: readonly Topic[]): Promise<void> {
    const { assignment } = slot;
    const { partition } = assignment;
    const tell = this.troubles.of(partition);
    slot.busy = true;
    try {
      for (const topic of behind) {
        const { db } = this.options.log;
        const end = this.endOf(topic, partition);
        const next = assignment.nextOffset(topic);
        const records = await readBatch(db, topic, partition, next, end);
        if (records.length === 0 && next < end) throw replaced(this.group, topic, `[${partition}]@${next}`);
        await assignment.apply(topic, records);
      }
      slot.goesOn();
      tell(undefined);
    } catch (error) {
      if (this.slots.get(partition) !== slot) return;
      if (isAtlasError(error, "ATLAS_ASSIGNMENT_LOST")) {
        await this.drop(partition);
      } else if (waitsForMending(error) || isTransient(error)) {
        slot.rest();
        tell(error);
      } else {
        this.fail(error);
      }
    } finally {
      slot.busy = false;
      this.loop.tried();
    }
  }

  private async claim(partition: number): Promise<void> {
    const { log, batchSize = 500, ...consume } = this.options;
    const { db } = log;
    const assignment = await claimAssignment({
      ...consume,
      onRetry: this.troubles.of(partition),
      onProgress: () => this.loop.tried(),
      batchSize,
      db,
      logId: log.id,
      partition,
      partitions: log.partitions,
      member: this.member,
      apply: this.apply,
      mask: log.mask,
      appendInUnit: appendRecords,
      onCommit: () => log.news.tell(),
    });
    for (const topic of consume.topics) await checkPlace(db, this.group, assignment, topic);
    this.slots.set(partition, new Slot(assignment));
    consume.onAssignmentChange?.(partition);
  }

  private async drop(partition: number): Promise<void> {
    const slot = this.slots.get(partition);
    if (slot === undefined) return;
    this.slots.delete(partition);
    this.troubles.of(partition)(undefined);
    await slot.assignment.release();
    this.options.onAssignmentChange?.(partition);
  }
}

/** Makes sure that the log still holds the record that this group applied last. */
async function checkPlace(db: Database, group: string, assignment: Assignment, topic: Topic): Promise<void> {
  const next = assignment.nextOffset(topic);
  const digest = assignment.digestAt(topic);
  if (next === 0) return;
  const [last] = await readBatch(db, topic, assignment.partition, next - 1, next, 1);
  if (last !== undefined && (digest === undefined || digestOf(last.body) === digest)) return;
  throw replaced(group, topic, `[${assignment.partition}]@${next - 1}`);
}

const replaced = (group: string, topic: Topic, place: string): AtlasError =>
  new AtlasError("ATLAS_LOG_REPLACED", `the log is not the one that ${group} read before`, {
    where: `${topic}${place}`,
    hint: hintOfLoss(topic, "Restore the log, or rebuild from it into a fresh database."),
  });
