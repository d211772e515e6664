import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { copyLogTo } from "../../app/copy-log.ts";
import { openLogAlone } from "../../app/open-store.ts";
import type { LogConfig } from "../../configs/config-schema.ts";
import { copyRecords } from "../../log/copy/copy-records.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { openKafkaTarget } from "../../log/kafka/open-kafka-target.ts";
import { startProxy } from "../log/kafka-proxy.ts";
import { freshPrefix, plainKafka } from "../log/kafka-under-test.ts";
import { freePort } from "../services/native/free-port.ts";
import { startKafka } from "../services/native/kafka.ts";
import { startPostgres } from "../services/native/postgres.ts";
import { startRegistry } from "../services/native/registry.ts";
import { nativeMissing } from "../services/services.ts";
import { filled, upTo } from "../sinks/datasets/filled.ts";
import { wholeSession } from "../traces/sessions.ts";
import { contentsOf } from "./log-contents.ts";
import { folderForTest } from "./opened.ts";

const embedded = (folder = folderForTest()): LogConfig => ({
  kind: "embedded",
  path: join(folder, ".atlas"),
  partitions: undefined,
});

const server = (databaseUrl: string): LogConfig => ({
  kind: "postgres",
  databaseUrl,
  partitions: undefined,
});

describe.skipIf(await nativeMissing("kafka"))("copying while Kafka has bad times", () => {
  test("repeats nothing whose answer was lost, and numbers nothing anew", async () => {
    const proxied = { listen: await freePort(), advertise: await freePort() };
    const [broker, registry] = await Promise.all([startKafka({ proxied }), startRegistry()]);
    onTestFinished(() => broker.stop());
    onTestFinished(() => registry.stop());
    const proxy = await startProxy(proxied.advertise, proxied.listen);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const { schemaRegistryUrl } = registry;
    const atlas = await filled(upTo(20));
    const origin = await contentsOf(atlas.log);
    for (const then of ["break", "silence"] as const) {
      const target = await openKafkaTarget({
        brokers: [`127.0.0.1:${proxy.port}`],
        schemaRegistryUrl,
        topicPrefix: freshPrefix(),
        requestTimeoutMs: 1500,
      });
      onTestFinished(() => target.close());
      let lost: Promise<void> | undefined;
      const summary = await copyRecords(atlas.log, target, {
        onProgress: (records) => {
          if (records > origin.length / 2) lost ??= proxy.loseNextAnswer(then);
        },
      });
      await lost;
      expect(summary).toMatchObject({ copied: origin.length, present: 0 });
      expect(await contentsOf(target.log)).toEqual(origin);
    }

    const options = { brokers: broker.brokers, schemaRegistryUrl };
    const log = await openKafkaLog({ ...options, topicPrefix: "transactions." });
    onTestFinished(() => log.close());
    const producer = plainKafka(options).producer({
      transactionalId: "somebody",
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({
      topic: "transactions.atlas.sessions",
      messages: [{ key: "somebody", value: "no event", partition: 3 }],
    });
    await transaction.commit();
    await producer.disconnect();
    await expect(copyLogTo(log, embedded())).rejects.toMatchObject({
      code: "ATLAS_COPY_REFUSED",
      message: expect.stringMatching(/the log lacks offsets 1 to 1,/),
      where: "atlas.sessions[3]",
    });

    const other = await openKafkaLog({ ...options, topicPrefix: "keys." });
    onTestFinished(() => other.close());
    const plain = plainKafka(options).producer();
    await plain.connect();
    await plain.send({
      topic: "keys.atlas.sessions",
      messages: [{ key: "no\0text", value: "no event", partition: 0 }],
    });
    await plain.disconnect();
    await expect(copyLogTo(other, embedded())).rejects.toMatchObject({
      code: "ATLAS_COPY_REFUSED",
      message: expect.stringMatching(/cannot store the key/),
    });
  });
});

describe.skipIf(await nativeMissing("postgres"))("copying to a Postgres that goes away", () => {
  test("fails with a reason, and goes on once it is back", async () => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.stop());
    const atlas = await filled(upTo(40));
    const origin = await contentsOf(atlas.log);
    let killed: Promise<void> | undefined;
    const onProgress = (records: number): void => {
      if (records > origin.length / 3) killed ??= postgres.kill();
    };
    await expect(copyLogTo(atlas.log, server(postgres.url), { onProgress })).rejects.toMatchObject({
      code: "ATLAS_LOG_UNREACHABLE",
      retryable: true,
    });
    await killed;
    await expect(copyLogTo(atlas.log, server(postgres.url))).rejects.toMatchObject({
      code: "ATLAS_DATABASE_UNREACHABLE",
    });
    await postgres.restart();
    const { copied, present } = await copyLogTo(atlas.log, server(postgres.url));
    expect(copied + present).toBe(origin.length);
    expect(Math.min(copied, present)).toBeGreaterThan(0);
    const { log, close } = await openLogAlone(server(postgres.url));
    onTestFinished(close);
    expect(await contentsOf(log)).toEqual(origin);
  });
});

/** A small disk of one's own, where the system gives one. */
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

describe.skipIf(!canMount)("copying to a disk that fills up", () => {
  test("fails with a reason, and goes on when there is space", async () => {
    const folder = folderForTest();
    const atlas = await filled([], folder);
    for (let number = 0; number < 30; number += 1) {
      const events = wholeSession(`large ${number}`, { learningKey: "k", score: 1 });
      const task = randomBytes(600 * 1024).toString("base64");
      await atlas.log.append(
        events
          .map((event) => (event.type === "SessionStarted" ? { ...event, task } : event))
          .map(atlas.log.mask),
      );
    }
    const origin = await contentsOf(atlas.log);
    await atlas.close();
    mkdirSync(join(folder, "disk"));
    writeFileSync(
      join(folder, "fill.sh"),
      `mount -t tmpfs -o size=400m tmpfs disk && head -c 345m /dev/zero > disk/ballast
       "$1" "$2" log copy --to disk/log; echo "exit $?"
       rm disk/ballast
       "$1" "$2" log copy --to disk/log --json; echo "exit $?"`,
    );
    const atlasCommand = resolve(import.meta.dirname, "../../cli/atlas.ts");
    const output = execFileSync(
      "unshare",
      ["-rm", "sh", "-c", 'exec 2>&1; sh "$0" "$@"', "fill.sh", process.execPath, atlasCommand],
      { cwd: folder, encoding: "utf8", env: { PATH: process.env.PATH ?? "", HOME: folder } },
    );
    const [first = "", second = ""] = output.split("exit 1\n");
    expect(first).toMatch(/^ATLAS_DISK_FULL: no space is left for the copy[^\n]*\n$/);
    const { copied, present } = JSON.parse(second.replace("exit 0\n", "")) as Record<string, number>;
    expect(copied! + present!).toBe(origin.length);
  });
});

test("a copy that has a record which the log lost is something else", async () => {
  const atlas = await filled(upTo(3));
  const there = folderForTest();
  await copyLogTo(atlas.log, embedded(there));
  await atlas.db.query(
    `delete from atlas_log.events e using atlas_log.partitions p
      where p.topic = e.topic and p.partition = e.partition and e."offset" = p.next_offset - 1`,
  );
  await expect(copyLogTo(atlas.log, embedded(there))).rejects.toMatchObject({
    code: "ATLAS_COPY_REFUSED",
    message: "the target holds something else than the log",
  });
});
