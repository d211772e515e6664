import { Kafka, logLevel } from "kafkajs";
import type { Topic } from "../../schemas/topics.ts";
import { eventually } from "../eventually.ts";
import { type OpenPlace, openPlace, type Place } from "../soak/place.ts";

/** What of a topic is lost: all of it, or, in every partition, what stands before the middle. */
export type Loss = "all" | "beginning";

/** Loses records of a topic behind everybody's back: rows on Postgres, on Kafka the topic itself or records of it. */
export async function lose(place: Place, topic: Topic, loss: Loss): Promise<void> {
  if (place.kind === "kafka") return loseOnKafka(place, topic, loss);
  const opened = await openPlace(place, false);
  const half =
    loss === "all"
      ? ""
      : `and "offset" < (select max("offset") / 2 + 1 from atlas_log.events o
    where o.topic = e.topic and o.partition = e.partition)`;
  await opened.db.query(`delete from atlas_log.events e where topic = $1 ${half}`, [topic]);
  await opened.close();
}

async function loseOnKafka(
  place: Extract<Place, { kind: "kafka" }>,
  topic: Topic,
  loss: Loss,
): Promise<void> {
  const admin = new Kafka({ brokers: place.brokers, logLevel: logLevel.NOTHING }).admin();
  const name = place.topicPrefix + topic;
  await admin.connect();
  try {
    if (loss === "all") {
      await admin.deleteTopics({ topics: [name] });
      await eventually(async () => {
        if ((await admin.listTopics()).includes(name)) throw new Error(`${name} is still there`);
      });
      return;
    }
    const partitions = (await admin.fetchTopicOffsets(name))
      .filter(({ high }) => Number(high) > 0)
      .map(({ partition, high }) => ({ partition, offset: String(Math.floor(Number(high) / 2) + 1) }));
    await admin.deleteTopicRecords({ topic: name, partitions });
  } finally {
    await admin.disconnect();
  }
}

/** Uses a place with the consumers, and closes it. */
export async function using<T>(
  place: Place,
  consumers: boolean,
  body: (opened: OpenPlace) => Promise<T>,
): Promise<T> {
  const opened = await openPlace(place, consumers);
  try {
    return await body(opened);
  } finally {
    await opened.close();
  }
}
