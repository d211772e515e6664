import type { Database } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { LogNotice } from "../event-log.ts";
import { hintOfLoss } from "../lost-records.ts";

/** Whether each partition of a log on Postgres still begins with its first record. */
export async function checkLog(db: Database): Promise<LogNotice[]> {
  const { rows } = await db.query<{ topic: Topic; partition: number }>(
    `select topic, partition from atlas_log.partitions p
      where next_offset > 0 and not exists (
            select from atlas_log.events e
             where e.topic = p.topic and e.partition = p.partition and e."offset" = 0)
      order by topic, partition`,
  );
  return rows.map(({ topic, partition }) => {
    const where = `${topic}[${partition}]`;
    const hint = hintOfLoss(
      topic,
      "Restore them. Read models and datasets that are there stay; they cannot be computed again.",
    );
    const error = new AtlasError("ATLAS_LOG_REPLACED", `the first records of ${where} are gone`, {
      where,
      hint,
    });
    return { level: "broken", error };
  });
}
