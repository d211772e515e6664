import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Cluster, Kafka, logLevel } from "kafkajs";
import { mendRequestQueue } from "./request-queue.ts";
import type { KafkaSettings } from "./settings.ts";

const CONNECTION_TIMEOUT_MS = 3000;
const KEEP_ALIVE_MS = 60_000;

/** A kafkajs client whose connections can be cut for good. */
export interface Client {
  kafka: Kafka;
  /** Closes every connection at once: what was not yet sent never will be, and what waits for an answer fails. */
  destroy(): void;
}

/** A kafkajs client. It logs nothing and retries nothing by itself: both are the caller's to decide. */
export function openClient(settings: KafkaSettings, retries = 0): Client {
  mendRequestQueue();
  const sockets = new Set<Socket>();
  let destroyed = false;
  const kafka = new Kafka({
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: settings.requestTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    retry: { retries, initialRetryTime: 50, maxRetryTime: 1000 },
    logLevel: logLevel.NOTHING,
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    // A copy, because kafkajs keeps what it makes of the credentials in the object that it is given.
    ...(settings.sasl === undefined ? {} : { sasl: { ...settings.sasl } }),
    socketFactory: ({ host, port, ssl, onConnect }) => {
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = ssl
        ? connectTls({ host, port, ...name, ...ssl }, onConnect)
        : connect({ host, port }, onConnect);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      // An open connection does not keep the process alive; who waits for an answer does.
      socket.unref();
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      if (destroyed) socket.destroy(gone());
      return socket;
    },
  });
  return {
    kafka,
    destroy() {
      destroyed = true;
      for (const socket of sockets) socket.destroy(gone());
    },
  };
}

const gone = (): Error => new Error("the connection was given up");

/**
 * The cluster behind a client: fetches and offsets without joining a group. kafkajs hands it to partition assigners
 * only, so this makes a consumer that never runs.
 */
export function clusterOf({ kafka }: Client): Cluster {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId: "unused",
    readUncommitted: true,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return {
          name: "unused",
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: "unused", metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  return found!;
}
