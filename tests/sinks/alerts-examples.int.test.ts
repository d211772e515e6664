import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../database/pg-database.ts";
import type { EventLog } from "../../log/event-log.ts";
import { eventually } from "../eventually.ts";
import { kafkaUnderTest } from "../log/kafka-under-test.ts";
import { pythonFor } from "../services/python.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { driftFact, rewardFact } from "./alerts-facts.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples/consumers");
const python = await pythonFor("readers", "the example in Python");

describe.skipIf(await missing("kafka", "postgres"))("a program without Atlas code", () => {
  let services: Awaited<ReturnType<typeof kafka>>;
  let underTest: Awaited<ReturnType<typeof kafkaUnderTest>>;
  let log: EventLog;

  beforeAll(async () => {
    services = await kafka();
    const db = await openPostgres((await postgres()).url);
    underTest = await kafkaUnderTest(services, db, () => db.close());
    log = await underTest.open();
  });
  afterAll(async () => {
    await log?.close();
    await underTest?.close();
  });

  async function printsNews(command: string, file: string): Promise<void> {
    const news = driftFact({ message: `for ${file}` });
    await log.append(
      [
        driftFact({ alert: false }),
        driftFact({}, { branch: "stricter" }),
        driftFact({}, { revision: 1 }),
        driftFact({}, { ageHours: 48 }),
        rewardFact(0),
        news,
        news,
      ].map(log.mask),
    );
    const topic = `${underTest.prefix}atlas.drift`;
    const args = [join(EXAMPLES, file), services.brokers.join(","), services.schemaRegistryUrl, topic];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const written = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        written[name] += text;
      });
    const lineOf = ({ learning_key, direction, reason, message, meta }: ReturnType<typeof driftFact>) =>
      `${learning_key}: ${direction} in ${reason}: ${message} (session ${meta.session_id})\n`;
    await eventually(() => expect(written.stdout, written.stderr).toContain(lineOf(news)));
    // What is appended while it runs, and nothing twice.
    const later = driftFact({ message: `later for ${file}` });
    await log.append([later].map(log.mask));
    await eventually(() => expect(written.stdout, written.stderr).toContain(lineOf(later)));
    expect(written.stdout.split(lineOf(news))).toHaveLength(2);
    expect(written.stdout.split("\n").filter((line) => line.includes(file))).toHaveLength(2);
    expect(written.stdout).not.toContain("9 spreads");
    child.kill("SIGTERM");
    const [code] = await once(child, "close");
    expect(code, written.stderr).toBe(0);
  }

  test("in plain kafkajs", () => printsNews(process.execPath, "drift-alerts.mjs"));

  test.skipIf(!python)("in Python", () => printsNews(python!, "drift_alerts.py"));
});
