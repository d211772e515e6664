import kafkajs, { type Admin } from "kafkajs";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { LogNotice } from "../event-log.ts";
import { hintOfLoss } from "../lost-records.ts";
import type { Begins } from "./begins.ts";
import type { KafkaSettings } from "./settings.ts";
import { SETTINGS } from "./topic-settings.ts";
import { LOG_ID_TOPIC, LOG_TOPICS, layoutOf, type TopicLayout, wrong } from "./topics.ts";

const IN_SYNC = "min.insync.replicas";

/** Settings of a log's topics, by the topic's name on the brokers. */
type Configs = Map<string, Map<string, string>>;

async function configsOf(admin: Admin, settings: KafkaSettings): Promise<Configs> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: LOG_TOPICS.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: settings.prefix + name,
      configNames: [...SETTINGS.map((setting) => setting.name), IN_SYNC],
    })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

function wrongSettings(configs: Configs): AtlasError[] {
  return [...configs].flatMap(([topic, found]) =>
    SETTINGS.flatMap(({ name, value, wanted, fits }) => {
      const is = found.get(name);
      return is === undefined || fits(is) ? [] : [wrong(topic, name, is, wanted ?? value)];
    }),
  );
}

/**
 * Makes sure that every topic keeps what it is given.
 *
 * @throws AtlasError ATLAS_LOG_MISCONFIGURED naming the first setting that is wrong
 */
export async function refuseWrongSettings(admin: Admin, settings: KafkaSettings): Promise<void> {
  const [first] = wrongSettings(await configsOf(admin, settings));
  if (first !== undefined) throw first;
}

const broken = (error: AtlasError): LogNotice => ({ level: "broken", error });
const warning = (where: string, message: string, hint: string): LogNotice => ({
  level: "warning",
  error: new AtlasError("ATLAS_LOG_MISCONFIGURED", message, { where, hint }),
});

/** What an operator should know of the topics of a log that was made with so many partitions. */
export async function checkTopics(
  admin: Admin,
  settings: KafkaSettings,
  partitions: number,
  begins: Begins,
): Promise<LogNotice[]> {
  const notices: LogNotice[] = [];
  const configs = await configsOf(admin, settings);
  for (const error of wrongSettings(configs)) notices.push(broken(error));
  for (const layout of await layoutOf(admin, settings, LOG_TOPICS)) {
    const wanted = layout.topic === settings.prefix + LOG_ID_TOPIC ? 1 : partitions;
    const copies = noticeOfCopies(layout, configs.get(layout.topic)?.get(IN_SYNC));
    if (copies !== undefined) notices.push(copies);
    const topic = layout.topic.slice(settings.prefix.length) as Topic;
    const beginOf = (partition: number): number => begins.of(topic, partition);
    for (const notice of await noticesOfPartitions(admin, layout, { topic, wanted, beginOf }))
      notices.push(notice);
  }
  return notices;
}

function noticeOfCopies({ topic, copies }: TopicLayout, inSync: string | undefined): LogNotice | undefined {
  if (copies < 2)
    return warning(topic, `${topic} has one copy: what it holds is lost with its disk`, "Add copies of it.");
  if (inSync !== undefined && Number(inSync) < 2) {
    const message = `${topic} has ${copies} copies, and an append is acknowledged when one disk has it`;
    return warning(topic, message, `Set ${IN_SYNC} of the topic to 2.`);
  }
  return undefined;
}

async function noticesOfPartitions(
  admin: Admin,
  layout: TopicLayout,
  { topic: name, wanted, beginOf }: { topic: Topic; wanted: number; beginOf: (partition: number) => number },
): Promise<LogNotice[]> {
  const { topic, partitions } = layout;
  if (partitions < wanted) return [broken(wrong(topic, "partitions", String(partitions), String(wanted)))];
  const notices: LogNotice[] = [];
  if (partitions > wanted) {
    const message = `${topic} has ${partitions} partitions, and the log was made with ${wanted}: the others are not used`;
    notices.push(warning(topic, message, "Nothing has to be done: a key stays in its partition."));
  }
  for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
    const where = `${topic}[${partition}]`;
    if (partition >= wanted && Number(high) > 0) {
      const message = `records stand in ${where}, and the log was made with ${wanted} partitions: nobody reads them`;
      const hint = "Import what was recorded there again, or restore the topics as they were.";
      notices.push(broken(new AtlasError("ATLAS_LOG_REPLACED", message, { where, hint })));
    } else if (Number(low) > beginOf(partition)) {
      const message = `${where} begins at offset ${low}: the records before it are gone`;
      const hint = hintOfLoss(
        name,
        "Restore them. Read models and datasets that are there stay; they cannot be computed again.",
      );
      notices.push(broken(new AtlasError("ATLAS_LOG_REPLACED", message, { where, hint })));
    }
  }
  return notices;
}
