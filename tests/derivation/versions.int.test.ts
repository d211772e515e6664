import { describe, expect, onTestFinished, test } from "vitest";
import { startPipeline } from "../../app/pipeline.ts";
import { answeredElsewhere } from "../../derivation/answered-elsewhere.ts";
import { processorConsumer } from "../../derivation/processor-consumer.ts";
import { PROCESSORS } from "../../derivation/stages.ts";
import { listVersions, retireVersion } from "../../derivation/versions/list-versions.ts";
import { promoteVersion } from "../../derivation/versions/promote-version.ts";
import type { Consumer, EventLog } from "../../log/event-log.ts";
import { groupOfVersion } from "../../log/runner/versions.ts";
import type { Emission, Processor } from "../../processors/processor.ts";
import { createReadModels } from "../../projections/read-models.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { LIVE_TOPICS } from "../../schemas/topics.ts";
import { judgedSession } from "../app/judged.ts";
import { eventsOf } from "../as-readers.ts";
import { LIMIT_MS } from "../eventually.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { LOGS } from "../soak/logs.ts";
import { type OpenPlace, openPlace } from "../soak/place.ts";
import { kafkaPlace } from "../soak/places.ts";

const scoreOf = (number: number): number => 0.5 + (number % 4) / 10;

/** What the version before said of rewards: half of what is said now, of every second session. */
const half = (emission: Emission): Emission =>
  emission.type === "SessionRewarded" && emission.draft.score > 0.65
    ? { ...emission, draft: { ...emission.draft, score: emission.draft.score / 2 } }
    : emission;

const other = (processor: Processor, version: number, change = half): Processor => ({
  ...processor,
  version,
  begin: (state, rules) => {
    const run = processor.begin(state, rules);
    return { ...run, take: (fact) => run.take(fact).map(change) };
  },
});

const [rewarding, drifting, reviewing] = PROCESSORS as readonly [Processor, Processor, Processor];
const before = other(rewarding, rewarding.version - 1);
const now = rewarding;

const consume = ({ log, rules }: OpenPlace, processor: Processor): Promise<Consumer> =>
  log.consume(
    {
      group: groupOfVersion(processor),
      versioned: { answeredElsewhere: () => answeredElsewhere(log) },
      topics: processor.inputs,
      prepare: rules.load,
    },
    processorConsumer(processor, rules.lookup),
  );

const caughtUp = async (log: EventLog, ...processors: Processor[]): Promise<void> => {
  for (const processor of processors)
    await log.caughtUp(groupOfVersion(processor), await log.ends(processor.inputs), { timeoutMs: LIMIT_MS });
};

const sessions = (hash: string, from: number, to: number): AtlasEvent[][] =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    judgedSession(from + index, { judge: scoreOf(from + index) }, hash),
  );

/** The rewards that stand, by session: of each session the highest revision. */
async function rewards(
  log: EventLog,
): Promise<Map<string, { score: number; version: number; revision: number }>> {
  const standing = new Map<string, { score: number; version: number; revision: number }>();
  for (const { meta, score } of await eventsOf(log, "atlas.rewards", "SessionRewarded")) {
    const { version, revision } = meta.derivation!;
    const known = standing.get(meta.session_id!);
    if (known === undefined || known.revision < revision)
      standing.set(meta.session_id!, { score, version, revision });
  }
  return standing;
}

const scores = async (log: EventLog): Promise<number[]> =>
  [...(await rewards(log)).values()].map(({ score }) => score).sort();
const expected = (numbers: number, change: (score: number) => number): number[] =>
  Array.from({ length: numbers }, (_, index) => change(scoreOf(index + 1))).sort();
const halved = (score: number): number => (score > 0.65 ? score / 2 : score);

async function place(make: (typeof LOGS)[number]["make"]): Promise<OpenPlace & { hash: string }> {
  const made = await make();
  const opened = await openPlace(made.place, false);
  onTestFinished(async () => {
    await opened.close();
    await made.remove();
  });
  return { ...opened, hash: await opened.rules.set(DEFAULT_RULES) };
}

/** Both versions on a log of twelve sessions, which the one before has answered. */
async function sideBySide(make: (typeof LOGS)[number]["make"]) {
  const opened = await place(make);
  const { log, hash } = opened;
  const consumers = [await consume(opened, before)];
  await log.append(sessions(hash, 1, 12).flat().map(log.mask));
  await caughtUp(log, before);
  consumers.push(await consume(opened, now));
  await caughtUp(log, now);
  return { log, hash, consumers };
}

describe.for(LOGS.filter(({ skip }) => !skip))("versions of a processor on $name", ({ make }) => {
  test("one answers, and another computes beside it until it takes over, with revisions where they differ", async () => {
    const opened = await place(make);
    const { log, db, hash } = opened;
    const old = await consume(opened, before);
    await log.append(sessions(hash, 1, 8).flat().map(log.mask));
    await caughtUp(log, before);

    const young = await consume(opened, now);
    await log.append(sessions(hash, 9, 12).flat().map(log.mask));
    await caughtUp(log, before, now);
    expect(await scores(log)).toEqual(expected(12, halved));
    expect(await listVersions(log)).toMatchObject([
      { processor: now.name, version: before.version, role: "answers", behind: 0, kept: 0 },
      { processor: now.name, version: now.version, role: "silent", behind: 0, kept: 12 },
    ]);

    const differing = expected(12, halved).filter((score, index) => score !== expected(12, Number)[index]);
    expect(differing.length).toBeGreaterThan(0);
    const promoted = await promoteVersion(log, { processor: now.name });
    expect(promoted).toMatchObject({ version: now.version, revised: 6, added: 0 });
    await caughtUp(log, now);
    expect(await scores(log)).toEqual(expected(12, Number));

    await log.append(sessions(hash, 13, 16).flat().map(log.mask));
    await caughtUp(log, before, now);
    const standing = await rewards(log);
    expect([...standing.values()].map(({ score }) => score).sort()).toEqual(expected(16, Number));
    const answered = await eventsOf(log, "atlas.rewards", "SessionRewarded");
    expect(answered).toHaveLength(16 + 6);
    expect(answered.filter(({ meta }) => meta.derivation?.revision === 0)).toHaveLength(16);

    const facts = await eventsOf(log, "atlas.decisions", "DerivationPromoted");
    expect(facts.length).toBe(promoted.partitions);
    expect(facts[0]).toMatchObject({ processor: now.name, version: now.version, retired: before.version });

    expect(await promoteVersion(log, { processor: now.name })).toMatchObject({ partitions: 0, revised: 0 });
    const back = await promoteVersion(log, { processor: now.name, version: before.version });
    expect(back).toMatchObject({ version: before.version });
    await caughtUp(log, before);
    expect(await scores(log)).toEqual(
      [...expected(12, Number), ...[13, 14, 15, 16].map((n) => halved(scoreOf(n)))].sort(),
    );

    await expect(retireVersion(log, { processor: now.name, version: before.version })).rejects.toMatchObject({
      code: "ATLAS_VERSION_ANSWERS",
    });
    await young.stop();
    await retireVersion(log, { processor: now.name, version: now.version });
    const { rows } = await db.query("select from atlas_log.assignments where group_id = $1", [
      groupOfVersion(now),
    ]);
    expect(rows).toEqual([]);
    await old.stop();
  });

  test("a promotion that was interrupted goes on, and sessions that come meanwhile are answered once", async () => {
    const { log, hash, consumers } = await sideBySide(make);

    let more = 12;
    let appending = true;
    const busy = (async () => {
      while (appending) {
        more += 1;
        await log.append(sessions(hash, more, more).flat().map(log.mask));
      }
    })();
    onTestFinished(() => {
      appending = false;
      return busy.catch(() => undefined);
    });
    const stopping = new AbortController();
    const interrupted = promoteVersion(log, {
      processor: now.name,
      timeoutMs: LIMIT_MS,
      signal: stopping.signal,
      onProgress: (done) => {
        if (done === 2) stopping.abort(new Error("killed"));
      },
    });
    await expect(interrupted).rejects.toThrow("killed");
    expect((await listVersions(log)).map(({ role }) => role)).toEqual(["mixed", "mixed"]);
    await promoteVersion(log, { processor: now.name, timeoutMs: LIMIT_MS });
    appending = false;
    await busy;
    await caughtUp(log, before, now);
    const standing = await rewards(log);
    expect([...standing.values()].map(({ score }) => score).sort()).toEqual(expected(more, Number));
    const answered = await eventsOf(log, "atlas.rewards", "SessionRewarded");
    expect(answered.filter(({ meta }) => meta.derivation?.revision === 0)).toHaveLength(more);
    for (const consumer of consumers) await consumer.stop();
  });

  test("two promotions at once are one", async () => {
    const { log, consumers } = await sideBySide(make);
    const both = await Promise.all(
      [1, 2].map(() => promoteVersion(log, { processor: now.name, timeoutMs: LIMIT_MS })),
    );
    expect(both.reduce((sum, { revised }) => sum + revised, 0)).toBe(6);
    expect(both.reduce((sum, { partitions }) => sum + partitions, 0)).toBe(log.partitions);
    await caughtUp(log, now);
    expect(await scores(log)).toEqual(expected(12, Number));
    expect(await eventsOf(log, "atlas.rewards", "SessionRewarded")).toHaveLength(12 + 6);
    for (const consumer of consumers) await consumer.stop();
  });

  test("read models, drift and review follow a version that takes over", async () => {
    const opened = await place(make);
    const { log, db, hash, rules } = opened;
    const earlier = [before, drifting, reviewing];
    const consumers = await Promise.all(earlier.map((processor) => consume(opened, processor)));
    consumers.push(
      await log.consume({ group: "read-models", topics: LIVE_TOPICS }, createReadModels().apply),
    );
    await log.append(sessions(hash, 1, 8).flat().map(log.mask));
    await caughtUp(log, ...earlier);
    await Promise.all(consumers.map((consumer) => consumer.stop()));

    const pipeline = await startPipeline(log, rules);
    await caughtUp(log, now);
    await promoteVersion(log, { processor: now.name, timeoutMs: LIMIT_MS });
    await caughtUp(log, ...PROCESSORS);
    await log.caughtUp("read-models", await log.ends(LIVE_TOPICS), { timeoutMs: LIMIT_MS });
    const shown = (await listSessions(db, { limit: null })).map(({ reward }) => reward!).sort();
    expect(shown).toEqual(expected(8, Number));
    expect(await eventsOf(log, "atlas.drift", "DriftAssessed")).toHaveLength(8);
    await pipeline.stop();
  });
});

describe.skipIf(await missing("kafka", "postgres"))("a second database on one log", () => {
  test("computes for itself and publishes nothing, until it is told to be the one that does", async () => {
    const { place: first, remove } = await kafkaPlace(await kafka(), async () => (await postgres()).url)();
    if (first.kind !== "kafka") return;
    const one = await openPlace(first, true);
    const hash = await one.rules.set(DEFAULT_RULES);
    await one.log.append(sessions(hash, 1, 8).flat().map(one.log.mask));
    await one.settled();

    const two = await openPlace({ ...first, databaseUrl: (await postgres()).url }, true);
    onTestFinished(async () => {
      await two.close();
      await remove();
    });
    await one.log.append(sessions(hash, 9, 12).flat().map(one.log.mask));
    await one.settled();
    await two.settled();
    const raw: string[] = [];
    for await (const batch of two.log.read(["atlas.rewards"]))
      for (const { event } of batch) raw.push(event.meta.session_id!);
    expect(raw).toHaveLength(12);
    expect(new Set((await listVersions(two.log)).map(({ role }) => role))).toEqual(new Set(["silent"]));
    expect((await listSessions(two.db, { limit: null })).map(({ reward }) => reward!).sort()).toEqual(
      expected(12, Number),
    );
    await one.close();

    await two.log.append(sessions(hash, 13, 14).flat().map(two.log.mask));
    await two.settled();
    expect(await scores(two.log)).toEqual(expected(12, Number));
    for (const { name } of PROCESSORS)
      expect(await promoteVersion(two.log, { processor: name, timeoutMs: LIMIT_MS })).toMatchObject({
        revised: 0,
      });
    await two.settled();
    expect(await scores(two.log)).toEqual(expected(14, Number));
    expect(
      (await eventsOf(two.log, "atlas.drift", "DriftAssessed")).map(({ meta }) => meta.sequence),
    ).toEqual(Array.from({ length: 14 }, (_, index) => index + 1));
  });
});

test("a version that nobody has run is not found", async () => {
  const opened = await place(LOGS[0]!.make);
  await expect(promoteVersion(opened.log, { processor: "drift" })).rejects.toMatchObject({
    code: "ATLAS_VERSION_NOT_FOUND",
  });
  await expect(retireVersion(opened.log, { processor: "drift", version: 1 })).rejects.toMatchObject({
    code: "ATLAS_VERSION_NOT_FOUND",
  });
});
