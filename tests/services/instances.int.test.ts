import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Kafka, logLevel } from "kafkajs";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { eventually } from "../eventually.ts";
import { startKafka } from "./native/kafka.ts";
import { startPostgres } from "./native/postgres.ts";
import { startRegistry } from "./native/registry.ts";
import { nativeMissing } from "./services.ts";

describe.skipIf(await nativeMissing("kafka"))("a broker and a registry of one's own", () => {
  it("the broker keeps its topics over a kill", async () => {
    await using broker = await startKafka();
    const admin = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: "kept", numPartitions: 3 }], waitForLeaders: true });
    await admin.disconnect();
    const { pid } = broker;
    await broker.restart();
    expect(broker.pid).not.toBe(pid);
    await admin.connect();
    expect(await admin.listTopics()).toEqual(["kept"]);
    await admin.disconnect();
  });

  it("the registry keeps its schemas and their ids over a kill", async () => {
    await using registry = await startRegistry();
    const register = async (): Promise<unknown> => {
      const response = await fetch(`${registry.schemaRegistryUrl}/subjects/kept/versions`, {
        method: "POST",
        headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
        body: JSON.stringify({ schema: '"string"' }),
      });
      return response.json();
    };
    const before = await register();
    expect(before).toHaveProperty("id");
    await registry.restart();
    expect(await register()).toEqual(before);
  });
});

describe.skipIf(await nativeMissing("postgres"))("a Postgres of one's own", () => {
  it("keeps what was committed over a kill, hangs when stopped, and wakes", async () => {
    await using server = await startPostgres();
    await query(server.url, "create table kept as select 7 as n");
    await server.kill();
    await expect(query(server.url, "select n from kept")).rejects.toThrow(/ECONNREFUSED/);
    await server.restart();
    expect(await query(server.url, "select n from kept")).toEqual([{ n: 7 }]);

    await server.kill("SIGSTOP");
    const waiting = query(server.url, "select n from kept");
    const first = await Promise.race([
      waiting,
      new Promise((resolve) => setTimeout(resolve, 300, "nothing")),
    ]);
    expect(first).toBe("nothing");
    await server.kill("SIGCONT");
    expect(await waiting).toEqual([{ n: 7 }]);
  });

  it("ends also when it is stopped, with its backends", async () => {
    const server = await startPostgres();
    const client = new pg.Client({ connectionString: server.url });
    client.on("error", () => {});
    await client.connect();
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    await server.kill("SIGSTOP");
    await server.stop();
    expect([server.pid, rows[0]!.pid].filter(isRunning)).toEqual([]);
    expect(existsSync(server.folder)).toBe(false);
  });

  it("ends with the process that started it, however that ends", async () => {
    const starter = spawn(process.execPath, [join(import.meta.dirname, "start-and-wait.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: starter.stdout }), "line")) as [string];
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    expect(isRunning(pid)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    starter.kill("SIGKILL");
    await eventually(() => {
      expect(isRunning(pid)).toBe(false);
      expect(existsSync(folder)).toBe(false);
    });
  });
});

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
