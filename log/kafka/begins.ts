import type { Topic } from "../../schemas/topics.ts";
import { openClient } from "./client.ts";
import type { Fetcher } from "./fetcher.ts";
import type { KafkaSettings } from "./settings.ts";
import { LOG_ID_TOPIC } from "./topics.ts";

const LIMITS = { maxWaitMs: 100, bytesPerPartition: 1024 * 1024 };

/** In a header, so that the log's identity is no such record. */
const BEGINS = "atlas-begins";

interface Begin {
  topic: Topic;
  partition: number;
  offset: number;
}

/**
 * Where partitions of derived topics begin that were filled anew: Kafka takes nothing away, so what stands before has to be
 * passed over. Said behind the log's identity, in the topic of its own, where everybody who opens the log finds it.
 */
export class Begins {
  private readonly settings: KafkaSettings;
  private readonly fetcher: Fetcher;
  private readonly known = new Map<string, number>();
  private readTo = 1;

  constructor(settings: KafkaSettings, fetcher: Fetcher) {
    this.settings = settings;
    this.fetcher = fetcher;
  }

  /**
   * Where a partition begins, as far as this process has learned.
   *
   * @param end the partition's end: one that ends before it begins is another one, which begins at 0
   */
  of(topic: Topic, partition: number, end = Number.POSITIVE_INFINITY): number {
    const begin = this.known.get(`${topic}/${partition}`) ?? 0;
    return begin > end ? 0 : begin;
  }

  /** Reads what was said since the last time. Fails as kafkajs does. */
  async learn(): Promise<void> {
    const topic = this.topic;
    const [end = 0] = (await this.fetcher.ends([topic], 1)).get(topic) ?? [];
    while (this.readTo < end) {
      const [fetched] = await this.fetcher.fetch([{ topic, partition: 0, offset: this.readTo }], LIMITS);
      for (const { offset, value, headers } of fetched?.messages ?? []) {
        this.readTo = Math.max(this.readTo, Number(offset) + 1);
        if (headers[BEGINS] !== undefined && value !== null) this.take(JSON.parse(value.toString()) as Begin);
      }
    }
  }

  /** Says for all to come that a partition begins at an offset. */
  async say(begin: Begin): Promise<void> {
    const client = openClient(this.settings);
    try {
      const producer = client.kafka.producer({
        allowAutoTopicCreation: false,
        createPartitioner: () => () => 0,
      });
      await producer.connect();
      const message = { value: JSON.stringify(begin), headers: { [BEGINS]: "1" } };
      await producer.send({ topic: this.topic, acks: -1, messages: [message] });
      await producer.disconnect();
    } finally {
      client.destroy();
    }
    this.take(begin);
  }

  private get topic(): string {
    return this.settings.prefix + LOG_ID_TOPIC;
  }

  private take({ topic, partition, offset }: Begin): void {
    this.known.set(`${topic}/${partition}`, offset);
  }
}
