import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { mendRequestQueue } from "../../../log/kafka/request-queue.ts";
import { cached, maven } from "./download.ts";
import { freePort } from "./free-port.ts";
import { type Instance, startInstance } from "./instance.ts";
import { JVM_OPTIONS, requireJava } from "./java.ts";

const VERSION = "4.1.1";
const LOG4J = "2.24.3";

/** A Kafka broker of one's own. */
export interface KafkaInstance extends Instance {
  brokers: string[];
}

/** What a test may want of its broker. */
export interface KafkaOptions {
  /** Further lines of the broker's configuration, as `{ "message.max.bytes": "1000" }`. */
  properties?: Record<string, string>;
  /**
   * Makes room for a proxy: the broker also listens on `listen`, and tells clients that come in there to connect to
   * `advertise`, where the proxy is. Both are loopback ports.
   */
  proxied?: { listen: number; advertise: number };
}

/**
 * Starts a single-node Kafka (KRaft) on loopback.
 *
 * @throws ServiceUnavailable without Java or when it cannot be downloaded
 * @example
 * await using broker = await startKafka();
 * await broker.kill("SIGSTOP");
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaInstance> {
  const jars = await kafkaJars();
  const port = await freePort();
  const controllerPort = await freePort();
  const java = (mainClass: string, ...args: string[]): string[] => [
    "-Xmx256m",
    ...JVM_OPTIONS,
    "-cp",
    join(jars, "*"),
    mainClass,
    ...args,
  ];
  const brokers = [`127.0.0.1:${port}`];
  const instance = await startInstance({
    name: "kafka",
    command: "java",
    args: (folder) => java("kafka.Kafka", join(folder, "server.properties")),
    async prepare(folder) {
      const file = join(folder, "server.properties");
      writeFileSync(file, properties(folder, port, controllerPort, options));
      const id = randomBytes(16).toString("base64url");
      await promisify(execFile)(
        "java",
        java("kafka.tools.StorageTool", "format", `--cluster-id=${id}`, "-c", file),
      );
    },
    ready: () => answers(brokers),
    endSignal: "SIGKILL",
  });
  return Object.assign(instance, { brokers });
}

/**
 * The folder that Kafka runs from, fetched if need be.
 *
 * @throws ServiceUnavailable without Java or when it cannot be downloaded
 */
export async function kafkaJars(): Promise<string> {
  await requireJava("Kafka");
  return join(await cached(`kafka-${VERSION}`, fetchJars), "jars");
}

function properties(folder: string, port: number, controllerPort: number, options: KafkaOptions): string {
  const { proxied } = options;
  const all: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT",
    listeners: [
      `PLAINTEXT://127.0.0.1:${port}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...(proxied ? [`PROXIED://127.0.0.1:${proxied.listen}`] : []),
    ].join(","),
    "advertised.listeners": [
      `PLAINTEXT://127.0.0.1:${port}`,
      ...(proxied ? [`PROXIED://127.0.0.1:${proxied.advertise}`] : []),
    ].join(","),
    "log.dirs": join(folder, "data"),
    // A killed broker may register again only when its old session is over: 9 s unless told.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    ...options.properties,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

/** An open port is not enough: the broker registers with its controller after it has begun to listen. */
async function answers(brokers: string[]): Promise<void> {
  mendRequestQueue();
  const kafka = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0) throw new Error("no broker is registered yet");
  } finally {
    await admin.disconnect();
  }
}

async function fetchJars(folder: string): Promise<void> {
  const dependency = (group: string, artifact: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  const work = join(folder, "fetch");
  mkdirSync(work);
  writeFileSync(
    join(work, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>atlas-sdk</groupId><artifactId>kafka-jars</artifactId><version>1</version><dependencies>
${dependency("org.apache.kafka", "kafka_2.13", VERSION)}
${dependency("org.apache.kafka", "kafka-tools", VERSION)}
${dependency("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J)}
${dependency("org.apache.logging.log4j", "log4j-core", LOG4J)}
</dependencies></project>\n`,
  );
  await maven(
    work,
    "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies",
    "-DoutputDirectory=jars",
  );
  renameSync(join(work, "jars"), join(folder, "jars"));
  rmSync(work, { recursive: true });
}
