import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildDataset, reproduceDataset, verifyDataset } from "../../../app/datasets.ts";
import { openAtlas } from "../../../app/open-atlas.ts";
import { openKafkaLog } from "../../../log/kafka/open-kafka-log.ts";
import { approveAll, exportedFrom, folderForTest } from "../../app/opened.ts";
import { linesOf, recorded } from "../../cli/recorded.ts";
import { LOGS } from "../../soak/logs.ts";
import { openPlace } from "../../soak/place.ts";
import { built, filled, upTo } from "./filled.ts";

const digests = new Map<string, string>();

describe.each(LOGS)("a dataset from the $name log", ({ name, skip, make }) => {
  test.skipIf(skip)("has the lines of an export, and can be built again", async () => {
    const { place, remove } = await make();
    onTestFinished(remove);
    const open = await openPlace(place, true);
    onTestFinished(open.close);
    const file = join(folderForTest(), "runs.jsonl");
    writeFileSync(file, linesOf(upTo(16).map((index) => recorded(index))));
    await open.importFile(file);
    await approveAll(open);
    const output = join(folderForTest(), "data");
    const { manifest } = await buildDataset(open.log, { output });
    expect(readFileSync(join(output, "data.jsonl"), "utf8")).toBe(await exportedFrom(open));
    expect(await verifyDataset(output)).toMatchObject({ manifest: { sessions: 16 } });
    expect(await reproduceDataset(open.log, output)).toMatchObject({ identical: true });
    digests.set(name, manifest.digest);
    if (place.kind !== "kafka") return;
    const { kind: _, databaseUrl: __, ...brokers } = place;
    const alone = await openKafkaLog({ ...brokers, partitions: 4 });
    onTestFinished(() => alone.close());
    expect(await reproduceDataset(alone, output)).toMatchObject({ identical: true });
  });
});

test("a log on Kafka without a database can be read, and consumes nothing", async () => {
  const log = { kind: "kafka", brokers: "127.0.0.1:1", schemaRegistryUrl: "http://127.0.0.1:1" } as const;
  await expect(openAtlas({ log })).rejects.toMatchObject({
    code: "ATLAS_CONFIG_INVALID",
    where: "log.database_url",
  });
});

test("the same sessions have the same digest, whatever the log", () => {
  expect(digests.size).toBeGreaterThan(0);
  expect(new Set(digests.values()).size).toBe(1);
});

test("a build that is killed leaves nothing in the place of the dataset, and the next one clears up", async () => {
  const home = folderForTest();
  const atlas = await filled(upTo(6), home);
  await atlas.close();
  const output = join(folderForTest(), "data");
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "build-child.ts"), join(home, ".atlas"), output],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  expect(existsSync(output)).toBe(false);
  expect(readdirSync(dirname(output))).toEqual([expect.stringMatching(/^\.data\.building-/)]);
  const { manifest } = await built(await filled([], home), { output });
  expect(manifest.sessions).toBe(6);
  expect(readdirSync(dirname(output))).toEqual([basename(output)]);
});
