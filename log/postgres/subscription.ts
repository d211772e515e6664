import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import type { RawRecord, SubscribedEvent, SubscribeOptions } from "../event-log.ts";
import { Acks } from "../runner/acks.ts";
import { loadCheckpoints, saveCheckpoint } from "../runner/assignment-store.ts";
import { memberName } from "../runner/member.ts";
import { readBatch, readEnds } from "./event-store.ts";
import { leaseTimes, openLeases } from "./leases.ts";
import type { News } from "./news.ts";
import type { Wake } from "./wake.ts";
import type { Watch } from "./watch.ts";

/** The log that is subscribed to. */
export interface SubscribedLog {
  id: string;
  partitions: number;
  db: Database;
  wake: Wake;
  news: News;
  watch: Watch;
  sameHost: boolean;
}

/** One partition of one topic, as this member delivers it. */
interface Share {
  next: number;
  acks: Acks;
}

/** Delivers events at least once: those that nobody acknowledged come again, here or at another member. */
export async function* subscribe(
  log: SubscribedLog,
  options: SubscribeOptions,
): AsyncGenerator<SubscribedEvent> {
  const { db, wake, news, watch } = log;
  const { group, topics, signal } = options;
  const { partitions, id: logId, sameHost } = log;
  const { renewMs } = leaseTimes(sameHost);
  const member = memberName();
  const leases = openLeases({ db, group, member, partitions, logId, sameHost, watch });
  const shares = new Map<string, Share>();
  const stopped = (): boolean => signal?.aborted === true;
  let owned: number[] = [];
  let renewedAt = Number.NEGATIVE_INFINITY;

  const renew = async (): Promise<void> => {
    const { held, seen } = await leases.renew(performance.now() - renewMs / 2);
    renewedAt = seen.began;
    for (const partition of owned.filter((one) => !held.includes(one))) {
      for (const topic of topics) shares.delete(`${topic}/${partition}`);
    }
    for (const partition of held.filter((one) => !owned.includes(one))) {
      const checkpoints = await loadCheckpoints(db, { group, partition });
      for (const topic of topics) {
        shares.set(`${topic}/${partition}`, {
          next: checkpoints.get(topic)?.nextOffset ?? 0,
          acks: new Acks(),
        });
      }
    }
    owned = held;
  };

  const delivered = (record: RawRecord, share: Share): SubscribedEvent => {
    const { topic, partition, offset } = record;
    const acknowledge = share.acks.deliver(offset);
    const ack = async (): Promise<void> => {
      const next = acknowledge();
      // A partition that was given up belongs to another member, which delivers the event again.
      if (next === undefined || shares.get(`${topic}/${partition}`) !== share) return;
      await saveCheckpoint(db, { group, partition }, topic, { nextOffset: next, digest: undefined });
    };
    return Object.assign(decodeEvent(record.fingerprint!, record.body), {
      position: { topic, partition, offset },
      ack,
    });
  };

  watch.join({ group, member, alive: () => true });
  const keepAlive = setInterval(() => void leases.beat().catch(() => undefined), renewMs);
  try {
    while (!stopped()) {
      const seen = wake.count;
      let any = false;
      try {
        if (performance.now() - renewedAt >= renewMs) await renew();
        const ends = await readEnds(db, topics);
        for (const topic of topics) {
          for (const partition of owned) {
            const share = shares.get(`${topic}/${partition}`);
            const end = ends.get(topic)![partition]!;
            if (share === undefined || share.next >= end) continue;
            for (const record of await readBatch(db, topic, partition, share.next, end)) {
              if (stopped() || shares.get(`${topic}/${partition}`) !== share) break;
              share.next = record.offset + 1;
              any = true;
              yield delivered(record, share);
            }
          }
        }
        options.onRetry?.(undefined);
      } catch (error) {
        if (!isTransient(error)) throw error;
        options.onRetry?.(error);
      }
      if (!any) await wake.after(seen, Math.min(news.pollMs(), renewMs));
    }
  } finally {
    clearInterval(keepAlive);
    await leases.release().catch(() => undefined);
  }
}
