import { setTimeout as sleep } from "node:timers/promises";
import type { Producer, TopicMessages } from "kafkajs";
import type { AtlasError } from "../../errors/atlas-error.ts";
import { AppendQueue } from "../append-queue.ts";
import { held } from "../held.ts";
import { type Client, openClient } from "./client.ts";
import { BROKER_BACKOFF, logError } from "./failures.ts";
import { toMessage, type WritableRecord } from "./message.ts";
import type { Registry } from "./registry.ts";
import type { KafkaSettings } from "./settings.ts";

interface Connected {
  client: Client;
  producer: Producer;
}

const DISCONNECT_MS = 1000;
/** kafkajs gives up on a request after its own timeout; this is for the case that it does not. */
const GRACE_MS = 5000;

/**
 * Appends records to Kafka, one send at a time. After a send that failed, or was given up, the connection is replaced and
 * everything without an acknowledgement is sent again, in order; readers drop what arrives twice.
 */
export class RecordProducer {
  private readonly settings: KafkaSettings;
  private readonly registry: Registry;
  private readonly queue: AppendQueue<WritableRecord>;
  private connected: Promise<Connected> | undefined;

  constructor(settings: KafkaSettings, registry: Registry) {
    this.settings = settings;
    this.registry = registry;
    const errorOf = (failure: unknown): AtlasError => logError(failure, settings, "appending failed");
    const send = async (batch: readonly WritableRecord[]): Promise<void> => {
      try {
        await this.send(batch);
      } catch (failure) {
        this.replace();
        throw errorOf(failure);
      }
    };
    const patience = { ...BROKER_BACKOFF, forMs: settings.patienceMs };
    this.queue = new AppendQueue({ address: settings.address, send, patience, errorOf });
  }

  /**
   * Resolves once all records are durable.
   *
   * @throws AtlasError ATLAS_LOG_UNREACHABLE or ATLAS_REGISTRY_UNREACHABLE (retryable: some records may be in the log,
   *   and appending the same again is safe), ATLAS_LOG_MISCONFIGURED, ATLAS_SCHEMA_INCOMPATIBLE, ATLAS_LOG_CLOSED
   */
  append(records: readonly WritableRecord[]): Promise<void> {
    return this.queue.append(records);
  }

  /** Waits for what was appended, and disconnects. */
  async close(): Promise<void> {
    await this.queue.close();
    const connected = await this.connected?.catch(() => undefined);
    if (connected === undefined) return;
    const late = sleep(DISCONNECT_MS, undefined, { ref: false });
    await held(Promise.race([connected.producer.disconnect().catch(() => {}), late]));
    connected.client.destroy();
  }

  private async send(batch: readonly WritableRecord[]): Promise<void> {
    const ids = await this.registry.idsOf(batch.flatMap(({ fingerprint }) => fingerprint ?? []));
    const topicMessages: TopicMessages[] = [...Map.groupBy(batch, ({ topic }) => topic)].map(
      ([topic, records]) => ({
        topic: this.settings.prefix + topic,
        messages: records.map((record) => toMessage(record, ids)),
      }),
    );
    this.connected ??= this.connect();
    const { producer } = await this.connected;
    const abandon = new AbortController();
    const limit = this.settings.requestTimeoutMs + GRACE_MS;
    try {
      await Promise.race([
        producer.sendBatch({ acks: -1, timeout: this.settings.requestTimeoutMs, topicMessages }),
        sleep(limit, undefined, { signal: abandon.signal, ref: false }).then(() => {
          throw new Error(`no answer for ${limit} ms`);
        }),
      ]);
    } finally {
      abandon.abort();
    }
  }

  private replace(): void {
    const connected = this.connected;
    this.connected = undefined;
    connected?.then(({ client }) => client.destroy()).catch(() => {});
  }

  private async connect(): Promise<Connected> {
    const client = openClient(this.settings);
    const producer = client.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
    });
    try {
      await producer.connect();
      return { client, producer };
    } catch (error) {
      client.destroy();
      throw error;
    }
  }
}
