import { freePort } from "./native/free-port.ts";
import { UNSYNCED } from "./native/postgres.ts";

/** The images that the tests run where Docker is; the same as in docker-compose.yml. */
export const IMAGES = {
  kafka: "apache/kafka:4.1.1",
  registry: "confluentinc/cp-schema-registry:7.9.2",
  postgres: "postgres:16.15",
} as const;

/** Whether a Docker engine answers. */
export async function dockerAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import("testcontainers");
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** Kafka in a container, and Confluent's Schema Registry, which keeps its schemas there, in another. */
export async function kafkaContainers(): Promise<{
  brokers: string[];
  schemaRegistryUrl: string;
  stop(): Promise<void>;
}> {
  const { GenericContainer, Network, Wait } = await import("testcontainers");
  const network = await new Network().start();
  // A broker tells its clients where to connect, so its port on this side has to be known before it starts.
  const port = await freePort();
  const broker = await new GenericContainer(IMAGES.kafka)
    .withNetwork(network)
    .withNetworkAliases("kafka")
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: "1",
      KAFKA_PROCESS_ROLES: "broker,controller",
      KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
      KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
      KAFKA_INTER_BROKER_LISTENER_NAME: "INSIDE",
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
      KAFKA_LISTENERS: "INSIDE://:19092,OUTSIDE://:9092,CONTROLLER://:9093",
      KAFKA_ADVERTISED_LISTENERS: `INSIDE://kafka:19092,OUTSIDE://127.0.0.1:${port}`,
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .start();
  const registry = await new GenericContainer(IMAGES.registry)
    .withNetwork(network)
    .withExposedPorts(8081)
    .withEnvironment({
      SCHEMA_REGISTRY_HOST_NAME: "registry",
      SCHEMA_REGISTRY_LISTENERS: "http://0.0.0.0:8081",
      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: "PLAINTEXT://kafka:19092",
    })
    .withWaitStrategy(Wait.forHttp("/subjects", 8081))
    .start();
  return {
    brokers: [`127.0.0.1:${port}`],
    schemaRegistryUrl: `http://${registry.getHost()}:${registry.getMappedPort(8081)}`,
    async stop() {
      await registry.stop();
      await broker.stop();
      await network.stop();
    },
  };
}

/** Postgres in a container; `url` is that of its `postgres` database. */
export async function postgresContainer(durable: boolean): Promise<{ url: string; stop(): Promise<void> }> {
  const { GenericContainer, Wait } = await import("testcontainers");
  const server = await new GenericContainer(IMAGES.postgres)
    .withExposedPorts(5432)
    .withEnvironment({ POSTGRES_USER: "atlas", POSTGRES_PASSWORD: "atlas", POSTGRES_DB: "postgres" })
    .withCommand(["postgres", "-c", "max_connections=200", ...(durable ? [] : UNSYNCED)])
    // The image starts the server once to set it up, and then for good.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();
  return {
    url: `postgres://atlas:atlas@${server.getHost()}:${server.getMappedPort(5432)}/postgres`,
    async stop() {
      await server.stop();
    },
  };
}
