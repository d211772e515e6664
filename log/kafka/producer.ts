import { setTimeout as sleep } from "node:timers/promises";
import type { Producer, TopicMessages } from "kafkajs";
import { AtlasError } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import { held } from "../held.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_EVENTS } from "../outgoing.ts";
import { type Client, openClient } from "./client.ts";
import { BROKER_BACKOFF, logError } from "./failures.ts";
import { toMessage, type WritableRecord } from "./message.ts";
import type { Registry } from "./registry.ts";
import type { KafkaSettings } from "./settings.ts";

/** Records that wait for their acknowledgement, and who waits for it. */
interface Waiting {
  records: readonly WritableRecord[];
  /** How many of them are acknowledged. */
  acknowledged: number;
  resolve: () => void;
  reject: (error: AtlasError) => void;
}

interface Connected {
  client: Client;
  producer: Producer;
}

const DISCONNECT_MS = 1000;
/** kafkajs gives up on a request after its own timeout; this is for the case that it does not. */
const GRACE_MS = 5000;

/**
 * Appends records in the order of the calls, with one send outstanding at a time: whatever becomes of a send, nothing
 * that was appended later can be in the log before it. After a send that failed, or was given up, the connection is
 * replaced and everything without an acknowledgement is sent again, in order; readers drop what arrives twice.
 */
export class RecordProducer {
  private readonly settings: KafkaSettings;
  private readonly registry: Registry;
  private readonly queue: Waiting[] = [];
  private connected: Promise<Connected> | undefined;
  private pumping: Promise<void> | undefined;
  private closed = false;

  constructor(settings: KafkaSettings, registry: Registry) {
    this.settings = settings;
    this.registry = registry;
  }

  /**
   * Resolves once all records are durable.
   *
   * @throws AtlasError ATLAS_LOG_UNREACHABLE or ATLAS_REGISTRY_UNREACHABLE (retryable: some records may be in the log,
   *   and appending the same again is safe), ATLAS_LOG_MISCONFIGURED, ATLAS_SCHEMA_INCOMPATIBLE, ATLAS_LOG_CLOSED
   */
  append(records: readonly WritableRecord[]): Promise<void> {
    if (this.closed) {
      const error = new AtlasError("ATLAS_LOG_CLOSED", "the log was closed", {
        where: this.settings.address,
      });
      return Promise.reject(error);
    }
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.queue.push({ records, acknowledged: 0, resolve, reject });
      this.pumping ??= held(this.pump());
    });
  }

  /** Waits for what was appended, and disconnects. */
  async close(): Promise<void> {
    this.closed = true;
    await this.pumping;
    const connected = await this.connected?.catch(() => undefined);
    if (connected === undefined) return;
    const late = sleep(DISCONNECT_MS, undefined, { ref: false });
    await held(Promise.race([connected.producer.disconnect().catch(() => {}), late]));
    connected.client.destroy();
  }

  private async pump(): Promise<void> {
    // Appends of the same moment go into the same batch.
    await Promise.resolve();
    while (this.queue.length > 0) {
      let batch: readonly WritableRecord[] = [];
      const sendNext = async (): Promise<void> => {
        batch = this.nextBatch();
        try {
          await this.send(batch);
        } catch (failure) {
          this.replace();
          throw logError(failure, this.settings, "appending failed");
        }
      };
      try {
        await retry(sendNext, { ...BROKER_BACKOFF, forMs: this.settings.patienceMs });
        this.acknowledge(batch.length);
      } catch (error) {
        this.rejectAll(batch.length, logError(error, this.settings, "appending failed"));
      }
    }
    // In the same turn as the last look at the queue: an append between the two would wait for ever.
    this.pumping = undefined;
  }

  private nextBatch(): WritableRecord[] {
    const batch: WritableRecord[] = [];
    let bytes = 0;
    for (const { records, acknowledged } of this.queue) {
      for (let index = acknowledged; index < records.length; index += 1) {
        const record = records[index]!;
        bytes += record.body.length;
        if (batch.length > 0 && (batch.length >= MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES)) return batch;
        batch.push(record);
      }
    }
    return batch;
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

  private acknowledge(count: number): void {
    for (let left = count; left > 0; ) {
      const first = this.queue[0]!;
      const taken = Math.min(left, first.records.length - first.acknowledged);
      first.acknowledged += taken;
      left -= taken;
      if (first.acknowledged < first.records.length) return;
      this.queue.shift();
      first.resolve();
    }
  }

  /**
   * Gives up on everything that waits. Were only the oldest given up, later events of the same source would get into
   * the log before it, and readers would take it for a repetition when it is appended again.
   */
  private rejectAll(failed: number, error: AtlasError): void {
    const queue = this.queue.splice(0);
    let before = 0;
    for (const waiting of queue) {
      waiting.reject(before < failed ? error : behind(error, this.settings));
      before += waiting.records.length - waiting.acknowledged;
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

const behind = (error: AtlasError, settings: KafkaSettings): AtlasError =>
  error.retryable
    ? error
    : new AtlasError("ATLAS_LOG_UNREACHABLE", "an append before this one failed, and order is kept", {
        where: settings.address,
        hint: "Mend the cause, then append again.",
        retryable: true,
        cause: error,
      });
