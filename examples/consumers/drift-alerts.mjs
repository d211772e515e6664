// Prints drift alerts from Kafka with plain kafkajs: nothing of Atlas, only the brokers and the schema registry.
//   node drift-alerts.mjs localhost:9092 http://localhost:8081
import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { Kafka, logLevel } from "kafkajs";

const [brokers, host] = process.argv.slice(2);
const registry = new SchemaRegistry({ host });
const consumer = new Kafka({
  clientId: "drift-pager-js",
  brokers: brokers.split(","),
  logLevel: logLevel.ERROR,
}).consumer({
  groupId: "drift-pager-js",
});

await consumer.connect();
await consumer.subscribe({ topics: ["atlas.drift"], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    const event = await registry.decode(message.value);
    if (event.alert)
      console.log(`${event.learning_key}: ${event.direction} in ${event.reason}: ${event.message}`);
  },
});
