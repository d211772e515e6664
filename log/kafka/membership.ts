import { setTimeout as sleep } from "node:timers/promises";
import type { Consumer as KafkaConsumer } from "kafkajs";
import type { AtlasError } from "../../errors/atlas-error.ts";
import { backoffMs, pause } from "../../errors/retry.ts";
import { held } from "../held.ts";
import { coPartitioned } from "./assigner.ts";
import { type Client, openClient } from "./client.ts";
import { BROKER_BACKOFF, logError } from "./failures.ts";
import type { KafkaSettings } from "./settings.ts";

/** What a member of a group wants, and wants to be told. */
export interface MembershipOptions {
  settings: KafkaSettings;
  group: string;
  /** Named as on the brokers. */
  topics: readonly string[];
  partitions: number;
  /** The partitions that the group gave to this member, each time that it shares them out. */
  onAssigned: (partitions: readonly number[]) => void;
  /** The group's coordinator has just confirmed that the assignment stands. */
  onConfirmed: () => void;
  /** The coordinator cannot be reached; undefined when it can again. */
  onTrouble: (error: AtlasError | undefined) => void;
  /** The group refuses this member for good. */
  onRefused: (error: AtlasError) => void;
}

/** The next offset to read of a partition, for the group's committed offsets. */
export interface GroupOffset {
  topic: string;
  partition: number;
  offset: string;
}

const HEARTBEAT_MS = 1000;
const IDLE_MS = 100;
const LEAVE_MS = 3000;
const JOIN_RETRIES = 5;

interface Joined {
  client: Client;
  consumer: KafkaConsumer;
}

/**
 * Membership of a consumer group, and nothing else: all partitions are paused, so that kafkajs fetches nothing and
 * only sends heartbeats, however long a batch takes elsewhere. What belongs to this member is read by a fetcher.
 */
export class Membership {
  private readonly options: MembershipOptions;
  private joined: Joined | undefined;
  private owned: readonly number[] = [];
  private left = false;
  private attempt = 0;

  constructor(options: MembershipOptions) {
    this.options = options;
  }

  /** Joins in the background, again and again. */
  join(): void {
    void this.tryToJoin();
  }

  /** Saves offsets under the group's name; fails when the group has moved on without this member. */
  async commit(offsets: readonly GroupOffset[]): Promise<void> {
    if (this.joined === undefined || offsets.length === 0) return;
    await held(this.joined.consumer.commitOffsets([...offsets]));
  }

  async leave(): Promise<void> {
    this.left = true;
    const joined = this.joined;
    this.joined = undefined;
    if (joined === undefined) return;
    const late = sleep(LEAVE_MS, undefined, { ref: false });
    await held(Promise.race([joined.consumer.disconnect().catch(() => {}), late]));
    joined.client.destroy();
  }

  private async tryToJoin(): Promise<void> {
    const { settings, group, topics, partitions } = this.options;
    const client = openClient(settings, JOIN_RETRIES);
    const consumer = client.kafka.consumer({
      groupId: group,
      allowAutoTopicCreation: false,
      heartbeatInterval: HEARTBEAT_MS,
      sessionTimeout: settings.sessionTimeoutMs,
      rebalanceTimeout: settings.sessionTimeoutMs,
      maxWaitTimeInMs: IDLE_MS,
      partitionAssigners: [coPartitioned(partitions, () => this.owned)],
      retry: { retries: JOIN_RETRIES, restartOnFailure: async () => false },
    });
    this.joined = { client, consumer };
    const { GROUP_JOIN, HEARTBEAT, CRASH } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      const assigned = Object.entries(payload.memberAssignment);
      consumer.pause(assigned.map(([topic, mine]) => ({ topic, partitions: mine })));
      if (this.attempt > 0) this.options.onTrouble(undefined);
      this.attempt = 0;
      this.owned = [...new Set(assigned.flatMap(([, mine]) => mine))];
      this.options.onAssigned(this.owned);
    });
    consumer.on(HEARTBEAT, () => this.options.onConfirmed());
    consumer.on(CRASH, ({ payload }) => void this.startOver(client, payload.error));
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => {} });
    } catch (error) {
      await this.startOver(client, error);
    }
  }

  private async startOver(client: Client, failure: unknown): Promise<void> {
    client.destroy();
    if (this.left || this.joined?.client !== client) return;
    this.joined = undefined;
    const error = logError(failure, this.options.settings, `joining the group ${this.options.group} failed`);
    if (!error.retryable) return this.options.onRefused(error);
    this.attempt += 1;
    this.options.onTrouble(error);
    await pause(backoffMs(BROKER_BACKOFF, this.attempt));
    // Not awaited: while brokers are away, the tries would pile up in each other.
    if (!this.left) this.join();
  }
}
