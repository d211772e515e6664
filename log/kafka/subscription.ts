import { setTimeout as sleep } from "node:timers/promises";
import { AtlasError } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Position, RawRecord, SubscribedEvent, SubscribeOptions } from "../event-log.ts";
import { held } from "../held.ts";
import { hintOfLoss } from "../lost-records.ts";
import { Acks } from "../runner/acks.ts";
import type { Begins } from "./begins.ts";
import { committedOffsets } from "./committed-offsets.ts";
import { BROKER_BACKOFF, logError, rootOf } from "./failures.ts";
import { type Fetched, Fetcher } from "./fetcher.ts";
import { Membership } from "./membership.ts";
import { toRecords } from "./message.ts";
import type { Registry } from "./registry.ts";
import type { KafkaSettings } from "./settings.ts";

/** What a subscription works with. */
export interface SubscriptionContext {
  settings: KafkaSettings;
  partitions: number;
  registry: Registry;
  begins: Begins;
}

interface Share {
  topic: Topic;
  partition: number;
  /** Where to fetch from; undefined until the group's committed offset was looked up. */
  next: number | undefined;
  acks: Acks;
}

const IDLE_MS = 50;
const FETCH_BYTES = 1024 * 1024;
/** The group has shared its partitions out anew: somebody gets the event again. */
const MOVED = new Set(["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID"]);

/** Delivers events at least once, with nothing but Kafka's own committed offsets. */
export class Subscription {
  private readonly context: SubscriptionContext;
  private readonly options: SubscribeOptions;
  private readonly fetcher: Fetcher;
  private readonly membership: Membership;
  private shares = new Map<string, Share>();
  private refusal: AtlasError | undefined;

  constructor(context: SubscriptionContext, options: SubscribeOptions) {
    const { settings, partitions } = context;
    this.context = context;
    this.options = options;
    this.fetcher = new Fetcher(settings);
    this.membership = new Membership({
      settings,
      group: settings.prefix + options.group,
      topics: options.topics.map((topic) => settings.prefix + topic),
      partitions,
      onAssigned: (given) => this.share(given),
      onConfirmed: () => {},
      onTrouble: (error) => options.onRetry?.(error),
      onRefused: (error) => {
        this.refusal = error;
      },
    });
  }

  /**
   * The events, partition by partition in order, until the caller stops taking them or the signal says so.
   *
   * @throws AtlasError ATLAS_LOG_REPLACED, ATLAS_SCHEMA_NEWER, ATLAS_EVENT_UNREADABLE
   */
  async *events(): AsyncGenerator<SubscribedEvent, void, undefined> {
    this.membership.join();
    try {
      while (!this.isOver()) {
        for (const part of await this.fetchPatiently()) yield* this.deliver(part);
      }
    } finally {
      await this.membership.leave();
      await this.fetcher.close();
    }
  }

  private share(given: readonly number[]): void {
    const shares = new Map<string, Share>();
    for (const topic of this.options.topics) {
      for (const partition of given) {
        const name = `${this.context.settings.prefix}${topic}/${partition}`;
        const kept = this.shares.get(name);
        shares.set(name, kept ?? { topic, partition, next: undefined, acks: new Acks() });
      }
    }
    this.shares = shares;
  }

  private isOver(): boolean {
    return this.options.signal?.aborted === true;
  }

  private async fetchPatiently(): Promise<Fetched[]> {
    const { group, signal, onRetry } = this.options;
    const fetch = async (): Promise<Fetched[]> => {
      try {
        return await held(this.fetch());
      } catch (failure) {
        throw logError(failure, this.context.settings, `${group} cannot read`);
      }
    };
    try {
      return await retry(fetch, { ...BROKER_BACKOFF, signal, onRetry });
    } catch (error) {
      if (this.isOver()) return [];
      throw error;
    }
  }

  private async fetch(): Promise<Fetched[]> {
    if (this.refusal !== undefined) throw this.refusal;
    const shares = [...this.shares.values()];
    if (shares.length === 0) {
      await sleep(IDLE_MS);
      return [];
    }
    if (shares.some(({ next }) => next === undefined)) await this.findPlaces(shares);
    const { prefix, maxWaitTimeMs } = this.context.settings;
    const places = shares.map(({ topic, partition, next }) => ({
      topic: prefix + topic,
      partition,
      offset: next ?? 0,
    }));
    return this.fetcher.fetch(places, { maxWaitMs: maxWaitTimeMs, bytesPerPartition: FETCH_BYTES });
  }

  private async findPlaces(shares: readonly Share[]): Promise<void> {
    const { settings, partitions, begins } = this.context;
    const { group, topics } = this.options;
    const names = topics.map((topic) => settings.prefix + topic);
    const [committed, starts, ends] = await Promise.all([
      committedOffsets(settings, settings.prefix + group, names),
      this.fetcher.starts(names, partitions),
      this.fetcher.ends(names, partitions),
      begins.learn(),
    ]);
    for (const share of shares) {
      if (share.next !== undefined) continue;
      const name = settings.prefix + share.topic;
      const start = starts.get(name)![share.partition]!;
      const end = ends.get(name)![share.partition]!;
      const begin = begins.of(share.topic, share.partition, end);
      const next = Math.max(begin, committed.get(`${name}/${share.partition}`) ?? 0);
      if (next < start || next > end) {
        const message = `${group} goes on at offset ${next}, and the log has ${start} up to before ${end}`;
        throw new AtlasError("ATLAS_LOG_REPLACED", message, {
          where: `${name}[${share.partition}]`,
          hint: hintOfLoss(share.topic, "Restore the log, or subscribe with another group."),
        });
      }
      share.next = next;
    }
  }

  private async *deliver({ topic, partition, messages }: Fetched): AsyncGenerator<SubscribedEvent> {
    const name = `${topic}/${partition}`;
    const share = this.shares.get(name);
    if (share === undefined || messages.length === 0) return;
    const records = await toRecords(share.topic, partition, messages, this.context.registry);
    for (const record of records) {
      if (this.shares.get(name) !== share || this.options.signal?.aborted === true) return;
      share.next = record.offset + 1;
      const ack = share.acks.deliver(record.offset);
      // What is not an event is nobody's to acknowledge.
      if (record.fingerprint === undefined) ack();
      else yield this.toEvent(record, record.fingerprint, share, ack);
    }
  }

  private toEvent(
    record: RawRecord,
    fingerprint: string,
    share: Share,
    ack: () => number | undefined,
  ): SubscribedEvent {
    const { topic, partition, offset } = record;
    const event = decodeEvent(fingerprint, record.body);
    const position: Position = { topic, partition, offset };
    // Not enumerable: a copy or a JSON text of the event is the event, and nothing else.
    return Object.defineProperties(event, {
      position: { value: position },
      ack: { value: () => this.commit(share, ack()) },
    }) as SubscribedEvent;
  }

  private async commit({ topic, partition }: Share, next: number | undefined): Promise<void> {
    const { settings } = this.context;
    if (next === undefined) return;
    try {
      await this.membership.commit([{ topic: settings.prefix + topic, partition, offset: String(next) }]);
    } catch (error) {
      if (MOVED.has(rootOf(error).type ?? "")) return;
      throw logError(error, settings, "acknowledging failed");
    }
  }
}
