import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { copyLogTo } from "../../app/copy-log.ts";
import { reproduceDataset } from "../../app/datasets.ts";
import { openLogAlone } from "../../app/open-store.ts";
import { rebuild } from "../../app/rebuild.ts";
import type { LogConfig } from "../../configs/config-schema.ts";
import type { EventLog } from "../../log/event-log.ts";
import { DERIVED_TOPICS, TOPICS } from "../../schemas/topics.ts";
import { eventsIn } from "../as-readers.ts";
import { linesOf, recorded } from "../cli/recorded.ts";
import { missing, postgres } from "../services/services.ts";
import { built, upTo } from "../sinks/datasets/filled.ts";
import { openPlace } from "../soak/place.ts";
import { approveAll, exportedFrom, folderForTest } from "./opened.ts";

const idsOf = async (log: EventLog): Promise<string[]> =>
  (await eventsIn(log, ...DERIVED_TOPICS)).map(({ meta }) => meta.event_id);

describe.skipIf(await missing("postgres"))("a copy of a Postgres log in a folder", () => {
  test("gives the same datasets and read models, before and after consumers ran on it", async () => {
    const { url } = await postgres();
    const origin = await openPlace({ kind: "postgres", databaseUrl: url }, true);
    onTestFinished(origin.close);
    const file = join(folderForTest(), "runs.jsonl");
    writeFileSync(file, linesOf(upTo(12).map((index) => recorded(index))));
    await origin.importFile(file);
    await approveAll(origin);
    const { folder } = await built(origin, { split: { train: 0.5, eval: 0.5 } });
    const derived = await idsOf(origin.log);

    const there: LogConfig = { kind: "embedded", path: join(folderForTest(), "copy"), partitions: undefined };
    await copyLogTo(origin.log, there);
    const alone = await openLogAlone(there);
    const ends = await alone.log.ends(TOPICS);
    expect(ends).toEqual(await origin.log.ends(TOPICS));
    expect(await reproduceDataset(alone.log, folder)).toMatchObject({ identical: true });
    expect(await alone.log.ends(TOPICS)).toEqual(ends);
    await alone.close();

    const copy = await openPlace({ kind: "embedded", path: there.path }, true);
    onTestFinished(copy.close);
    await copy.settled();
    // What is derived again has the ids that it has in the log: nobody sees it twice.
    expect(new Set(await idsOf(copy.log))).toEqual(new Set(derived));
    expect(await exportedFrom(copy)).toBe(await exportedFrom(origin));
    const { sessions, derived: recomputed } = await rebuild(copy, { derived: true });
    expect({ sessions, differences: recomputed?.differences }).toEqual({ sessions: 12, differences: 0 });
    expect(await exportedFrom(copy)).toBe(await exportedFrom(origin));
    expect(await reproduceDataset(copy.log, folder)).toMatchObject({ identical: true });
  });
});
