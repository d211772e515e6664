import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { reproduceDataset } from "../../app/datasets.ts";
import { openLogAlone } from "../../app/open-store.ts";
import { verifyLog } from "../../derivation/verify-log.ts";
import type { EventLog } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { built, filled, upTo } from "../sinks/datasets/filled.ts";
import type { RoundPlace } from "../soak/kill-rounds.ts";
import type { Place } from "../soak/place.ts";
import { embeddedPlace, kafkaPlace, postgresPlace } from "../soak/places.ts";
import type { CopyOrder } from "./copy-log-child.ts";
import { contentsOf } from "./log-contents.ts";
import { folderForTest } from "./opened.ts";

const CHILD = join(import.meta.dirname, "copy-log-child.ts");

/**
 * Copies in a process of its own, which is killed as soon as it has reached so many records.
 *
 * @returns how it ended, and the last number of records that it told of
 */
async function copying(order: CopyOrder, until = Number.POSITIVE_INFINITY) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const closed = once(child, "close");
  let reached = 0;
  for await (const line of createInterface(child.stdout)) {
    reached = Number(line);
    if (reached >= until) child.kill("SIGKILL");
  }
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  return { code, signal, reached };
}

async function lookedAt<T>(place: Place, look: (log: EventLog) => Promise<T>): Promise<T> {
  if (place.kind === "kafka") {
    const { brokers, schemaRegistryUrl, topicPrefix } = place;
    const log = await openKafkaLog({ brokers, schemaRegistryUrl, topicPrefix });
    return look(log).finally(() => log.close());
  }
  const { log, close } = await openLogAlone({ ...place, partitions: undefined });
  return look(log).finally(close);
}

const database = async (): Promise<string> => (await postgres()).url;

const TARGETS = [
  { name: "embedded", skip: false, place: embeddedPlace },
  { name: "postgres", skip: await missing("postgres"), place: postgresPlace(database) },
  {
    name: "kafka",
    skip: await missing("kafka", "postgres"),
    place: async (): Promise<RoundPlace> => kafkaPlace(await kafka(), database)(),
  },
];

/** At which parts of the whole the copying process is killed, one after the other. */
const KILLED_AT = [0.05, 0.4, 0.8];

describe.each(TARGETS)("a copy to $name that is killed again and again", ({ skip, place: make }) => {
  test.skipIf(skip)("goes on from what it has each time, and ends up the same", async () => {
    const { place, remove } = await make();
    onTestFinished(remove);
    const home = folderForTest();
    const atlas = await filled(upTo(150), home);
    const { folder } = await built(atlas);
    const origin = await contentsOf(atlas.log);
    const order: CopyOrder = { from: join(home, ".atlas"), to: place };

    let kept = 0;
    for (const part of KILLED_AT) {
      const { signal } = await copying(order, origin.length * part);
      expect(signal).toBe("SIGKILL");
      const half = await lookedAt(place, contentsOf);
      expect(half.length).toBeGreaterThanOrEqual(Math.max(kept, Math.floor(origin.length * part)));
      expect(half.length).toBeLessThan(origin.length);
      const known = new Set(origin);
      expect(half.filter((record) => !known.has(record))).toEqual([]);
      kept = half.length;
    }
    expect(await copying(order)).toEqual({ code: 0, signal: null, reached: origin.length });

    await lookedAt(place, async (copy) => {
      expect(await contentsOf(copy)).toEqual(origin);
      expect(await reproduceDataset(copy, folder)).toMatchObject({ identical: true });
      expect((await verifyLog(copy)).gaps).toEqual([]);
    });
  });
});
