import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openLog } from "../../app/log.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { newId } from "../../schemas/identity.ts";
import { eventsOf } from "../as-readers.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { folderForTest } from "./opened.ts";

/** Generous: a program that does not end is the fault, not one that is slow. */
const LIMIT_MS = 180_000;

type LogInput = NonNullable<ConfigInput["log"]>;

/** What a program without a `close()` says until it ends, and the code that it ends with. */
async function untilItEnds(
  log: LogInput,
  tasks: readonly string[],
): Promise<{ code: number | null; said: string }> {
  const program = join(import.meta.dirname, "forgetful-child.ts");
  const child = spawn(process.execPath, [program, JSON.stringify(log), ...tasks], {
    cwd: folderForTest(),
    env: { PATH: process.env["PATH"] ?? "", ATLAS_OFFLINE_MODE: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said };
}

async function expectItEnds(log: LogInput): Promise<void> {
  // A broker may be shared, and its topics with it.
  const tasks = [newId(), newId()];
  const { code, said } = await untilItEnds(log, tasks);
  // Whatever it awaits keeps it alive: Node ends a program whose promises nothing can settle with code 13.
  expect(said.trim().split("\n")).toEqual(["succeeded", "durable", "queried", "settled"]);
  expect(code).toBe(0);
  await using opened = await openLog(log);
  const started = await eventsOf(opened, "atlas.sessions", "SessionStarted");
  const mine = started.filter(({ task }) => tasks.includes(task)).map(({ meta }) => meta.session_id);
  expect(mine).toHaveLength(2);
  const ended = await eventsOf(opened, "atlas.sessions", "SessionEnded");
  expect(ended.filter(({ meta }) => mine.includes(meta.session_id))).toHaveLength(2);
}

test("a program that forgets close() ends once all is in the embedded log, and leaves its folder in order", {
  timeout: LIMIT_MS,
}, async () => {
  const path = join(folderForTest(), ".atlas");
  await expectItEnds({ kind: "embedded", path });
  expect(existsSync(join(path, "holder.json"))).toBe(false);
});

describe.skipIf(await missing("postgres"))("with a database server", () => {
  test("a program that forgets close() ends once all is in the log", { timeout: LIMIT_MS }, async () => {
    await expectItEnds({ kind: "postgres", databaseUrl: (await postgres()).url });
  });
});

describe.skipIf(await missing("kafka", "postgres"))("with a broker, a registry and a database server", () => {
  test("a program that forgets close() ends once all is in the log", { timeout: LIMIT_MS }, async () => {
    const { brokers, schemaRegistryUrl } = await kafka();
    const databaseUrl = (await postgres()).url;
    await expectItEnds({ kind: "kafka", brokers, schemaRegistryUrl, databaseUrl });
  });
});
