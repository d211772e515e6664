// Prints drift alerts from Kafka with plain kafkajs: nothing of Atlas, only the brokers and the schema registry.
//   npm install kafkajs @kafkajs/confluent-schema-registry
//   node drift-alerts.mjs localhost:9092 http://localhost:8081 [atlas.drift]
import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { Kafka, logLevel } from "kafkajs";

const DAY_MICROS = 86_400_000_000;

const [brokers, host, topic = "atlas.drift"] = process.argv.slice(2);
if (brokers === undefined || host === undefined) {
  console.error("usage: node drift-alerts.mjs BROKERS REGISTRY_URL [TOPIC]");
  process.exit(2);
}

/** Leaves out what is tried on a branch, what a rebuild published again, and what an import or a first start finds. */
const isNews = ({ derivation, occurred_at }) =>
  derivation?.branch == null &&
  !(derivation?.revision > 0) &&
  Date.now() * 1000 - Number(occurred_at) < DAY_MICROS;

const registry = new SchemaRegistry({ host });
const kafka = new Kafka({
  clientId: "drift-pager-js",
  brokers: brokers.split(","),
  logLevel: logLevel.ERROR,
});
const consumer = kafka.consumer({ groupId: "drift-pager-js", maxWaitTimeInMs: 500 });
const seen = new Map();

await consumer.connect();
// A group without a place begins at the start: what is appended while it joins is not missed.
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  // Offsets are committed after this has returned: what it throws at comes again.
  eachMessage: async ({ message }) => {
    const event = await registry.decode(message.value);
    const { meta } = event;
    // After a crash of its writer an event may stand in the topic twice.
    if (meta.sequence <= (seen.get(meta.source) ?? -1)) return;
    seen.set(meta.source, meta.sequence);
    if (!event.alert || !isNews(meta)) return;
    const what = `${event.direction} in ${event.reason}: ${event.message}`;
    console.log(`${event.learning_key}: ${what} (session ${meta.session_id})`);
  },
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => consumer.disconnect().then(() => process.exit(0)));
}
