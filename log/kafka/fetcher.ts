import type { Cluster, IHeaders } from "kafkajs";
import { held } from "../held.ts";
import { type Client, clusterOf, openClient } from "./client.ts";
import { isOutOfRange } from "./failures.ts";
import type { KafkaSettings } from "./settings.ts";

/** From where to read a partition on; topics are named as on the brokers. */
export interface FetchPlace {
  topic: string;
  partition: number;
  offset: number;
}

/** A message as a broker gives it. */
export interface FetchedMessage {
  offset: string;
  /** Append time in milliseconds. */
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: IHeaders;
  /** A transaction marker, which no producer of ours writes. */
  isControlRecord: boolean;
}

/** What a broker gave of one partition. */
export interface Fetched {
  topic: string;
  partition: number;
  /** The end of the partition. */
  end: number;
  messages: FetchedMessage[];
}

interface FetchAnswer {
  responses: {
    topicName: string;
    partitions: { partition: number; highWatermark: string; messages: FetchedMessage[] }[];
  }[];
}

/** How much to fetch, and how long a broker may wait for it. */
export interface FetchLimits {
  maxWaitMs: number;
  bytesPerPartition: number;
}

const MAX_BYTES = 16 * 1024 * 1024;
const EARLIEST = { fromBeginning: true };
const LATEST = { fromBeginning: false };

/**
 * Reads partitions by offset, without a group: no join, no committed offsets, no seek that comes too late. After any
 * failure but an offset out of range it starts over with new connections.
 */
export class Fetcher {
  private readonly settings: KafkaSettings;
  private open: Promise<{ client: Client; cluster: Cluster }> | undefined;
  private readonly topics = new Set<string>();

  constructor(settings: KafkaSettings) {
    this.settings = settings;
  }

  /** Records from these places on; a partition without new ones is left out. Fails as kafkajs does. */
  fetch(places: readonly FetchPlace[], limits: FetchLimits): Promise<Fetched[]> {
    const topics = places.map(({ topic }) => topic);
    return this.with(topics, async (cluster) => {
      const answers = await Promise.all(
        [...byLeader(cluster, places)].map(async ([nodeId, led]) => {
          const broker = await cluster.findBroker({ nodeId });
          const answer: FetchAnswer = await broker.fetch({
            isolationLevel: 0,
            maxWaitTime: limits.maxWaitMs,
            minBytes: 1,
            maxBytes: MAX_BYTES,
            topics: byTopic(led).map(([topic, partitions]) => ({
              topic,
              partitions: partitions.map(({ partition, offset }) => ({
                partition,
                fetchOffset: String(offset),
                maxBytes: limits.bytesPerPartition,
              })),
            })),
          });
          return answer;
        }),
      );
      const asked = new Map(places.map((place) => [`${place.topic}/${place.partition}`, place.offset]));
      return answers.flatMap(({ responses }) =>
        responses.flatMap(({ topicName: topic, partitions }) =>
          partitions.map(({ partition, highWatermark, messages }) => ({
            topic,
            partition,
            end: Number(highWatermark),
            messages: from(messages, asked.get(`${topic}/${partition}`) ?? 0),
          })),
        ),
      );
    });
  }

  /** The next offset of every partition. */
  ends(topics: readonly string[], partitions: number): Promise<Map<string, number[]>> {
    return this.offsets(topics, partitions, LATEST);
  }

  /** The first offset that every partition still has. */
  starts(topics: readonly string[], partitions: number): Promise<Map<string, number[]>> {
    return this.offsets(topics, partitions, EARLIEST);
  }

  /** The first offset appended at or after a time, or -1 where there is none. */
  offsetsAt(topics: readonly string[], partitions: number, time: Date): Promise<Map<string, number[]>> {
    return this.offsets(topics, partitions, { fromTimestamp: time.getTime() });
  }

  async close(): Promise<void> {
    const open = await this.open?.catch(() => undefined);
    this.open = undefined;
    open?.client.destroy();
  }

  private offsets(
    topics: readonly string[],
    partitions: number,
    which: { fromBeginning: boolean } | { fromTimestamp: number },
  ): Promise<Map<string, number[]>> {
    const all = Array.from({ length: partitions }, (_, partition) => ({ partition }));
    return this.with(topics, async (cluster) => {
      const answer = await cluster.fetchTopicsOffset(
        topics.map((topic) => ({ topic, partitions: all, ...which })),
      );
      return new Map(
        answer.map(({ topic, partitions: found }) => {
          const offsets = new Array<number>(partitions).fill(-1);
          for (const { partition, offset } of found) offsets[partition] = Number(offset);
          return [topic, offsets];
        }),
      );
    });
  }

  private with<T>(topics: readonly string[], work: (cluster: Cluster) => Promise<T>): Promise<T> {
    return held(this.ask(topics, work));
  }

  private async ask<T>(topics: readonly string[], work: (cluster: Cluster) => Promise<T>): Promise<T> {
    for (const topic of topics) this.topics.add(topic);
    this.open ??= this.connect();
    const opening = this.open;
    try {
      const { cluster } = await opening;
      await cluster.addMultipleTargetTopics([...topics]);
      await cluster.refreshMetadataIfNecessary();
      return await work(cluster);
    } catch (error) {
      if (this.open === opening && !isOutOfRange(error)) {
        this.open = undefined;
        opening.then(({ client }) => client.destroy()).catch(() => {});
      }
      throw error;
    }
  }

  private async connect(): Promise<{ client: Client; cluster: Cluster }> {
    const client = openClient(this.settings);
    const cluster = clusterOf(client);
    try {
      await cluster.connect();
      await cluster.addMultipleTargetTopics([...this.topics]);
      return { client, cluster };
    } catch (error) {
      client.destroy();
      throw error;
    }
  }
}

function byLeader(cluster: Cluster, places: readonly FetchPlace[]): Map<string, FetchPlace[]> {
  const led = new Map<string, FetchPlace[]>();
  for (const [topic, found] of byTopic(places)) {
    const leaders = cluster.findLeaderForPartitions(
      topic,
      found.map(({ partition }) => partition),
    );
    for (const [nodeId, partitions] of Object.entries(leaders)) {
      const mine = led.get(nodeId) ?? [];
      for (const place of found.filter(({ partition }) => partitions.includes(partition))) mine.push(place);
      led.set(nodeId, mine);
    }
  }
  return led;
}

const byTopic = (places: readonly FetchPlace[]): [string, FetchPlace[]][] => [
  ...Map.groupBy(places, ({ topic }) => topic),
];

/** Brokers give whole batches: what stands before the offset that was asked for is dropped. */
function from(messages: FetchedMessage[], offset: number): FetchedMessage[] {
  const first = messages.findIndex((message) => Number(message.offset) >= offset);
  if (first < 0) return [];
  return first === 0 ? messages : messages.slice(first);
}
