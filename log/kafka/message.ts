import type { Message } from "kafkajs";
import type { Topic } from "../../schemas/topics.ts";
import type { OutgoingRecord, RawRecord } from "../event-log.ts";
import type { FetchedMessage } from "./fetcher.ts";
import { frame, unframe } from "./frame.ts";
import { fingerprintIn, headersOf } from "./headers.ts";
import type { Registry } from "./registry.ts";

const NOTHING = Buffer.alloc(0);

/** A record that is ours, or, in a copy of a log, one of another writer: that has no fingerprint. */
export type WritableRecord = Omit<OutgoingRecord, "fingerprint"> & { fingerprint: string | undefined };

/** A record as a message: framed for readers of the registry, with its envelope in the headers. */
export function toMessage(record: WritableRecord, ids: ReadonlyMap<string, number>): Message {
  const { key, partition, body, fingerprint } = record;
  if (fingerprint === undefined) return { key, partition, value: body };
  return {
    key,
    partition,
    value: frame(ids.get(fingerprint)!, body),
    headers: headersOf({ ...record, fingerprint }),
  };
}

/**
 * Messages as records. Ours name their schema in a header, so that they can be read without a registry, and through
 * one that lost its contents; of other writers' only the id in the frame tells, and the registry has to be asked.
 *
 * @throws AtlasError ATLAS_REGISTRY_UNREACHABLE
 */
export async function toRecords(
  topic: Topic,
  partition: number,
  messages: readonly FetchedMessage[],
  registry: Registry,
): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  for (const message of messages) {
    const value = message.value ?? NOTHING;
    const framed = message.isControlRecord ? undefined : unframe(value);
    let fingerprint: string | undefined;
    if (framed !== undefined) {
      fingerprint = fingerprintIn(message.headers) ?? (await registry.fingerprintOf(framed.schemaId));
    }
    records.push({
      topic,
      partition,
      offset: Number(message.offset),
      key: message.key?.toString() ?? "",
      appendedAt: Number(message.timestamp) * 1000,
      fingerprint,
      body: fingerprint === undefined ? value : framed!.body,
    });
  }
  return records;
}
