import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { rebuild } from "../../app/rebuild.ts";
import { processorConsumer } from "../../derivation/processor-consumer.ts";
import { renewStates } from "../../derivation/renew-states.ts";
import { READ_MODELS, STAGES } from "../../derivation/stage-list.ts";
import { PROCESSORS, settle } from "../../derivation/stages.ts";
import type { Consumer, EventLog } from "../../log/event-log.ts";
import type { Emission, Processor } from "../../processors/processor.ts";
import { createReadModels } from "../../projections/read-models.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES, type Rules } from "../../schemas/rules.ts";
import { LIVE_TOPICS } from "../../schemas/topics.ts";
import { judgedSession } from "../app/judged.ts";
import { recordedFolder } from "../app/recorded-folder.ts";
import { eventsOf } from "../as-readers.ts";
import { atlas as command, startAtlas, userFolder } from "../cli/from-source.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { LOGS } from "../soak/logs.ts";
import { type OpenPlace, openPlace, type Place } from "../soak/place.ts";
import { embeddedPlace } from "../soak/places.ts";

const SESSIONS = 10;
const RULES: Rules = {
  ...DEFAULT_RULES,
  review: { auto_approve: { min_reward: 0.35, max_uncertainty: null }, quarantine_on_alert: "off" },
};

const scoreOf = (number: number): number => 0.5 + (number % 4) / 10;
const half = (emission: Emission): Emission =>
  emission.type === "SessionRewarded"
    ? { ...emission, draft: { ...emission.draft, score: emission.draft.score / 2 } }
    : emission;

/** The version before: its state has another shape, and what it makes of some sessions is something else. */
const earlier = (processor: Processor, change: (emission: Emission) => Emission): Processor => ({
  ...processor,
  version: processor.version - 1,
  begin: (state, rules) => {
    const run = processor.begin((state as { earlier: unknown } | undefined)?.earlier, rules);
    return {
      take: (fact) => run.take(fact).map(change),
      isOver: () => run.isOver(),
      state: () => {
        const after = run.state();
        return after === undefined ? undefined : { earlier: after };
      },
    };
  },
});

/** What the package consumed with before it was upgraded. */
async function consumeAsBefore(
  { log, rules }: OpenPlace,
  change: (emission: Emission) => Emission,
): Promise<() => Promise<void>> {
  const consumers: Consumer[] = [];
  for (const processor of PROCESSORS)
    consumers.push(
      await log.consume(
        { group: processor.name, topics: processor.inputs, prepare: rules.load },
        processorConsumer(earlier(processor, change), rules.lookup),
      ),
    );
  const { apply } = createReadModels();
  consumers.push(await log.consume({ group: READ_MODELS, topics: LIVE_TOPICS }, apply));
  return async () => void (await Promise.all(consumers.map((consumer) => consumer.stop())));
}

const sessionsUnder = (hash: string, from: number, to: number): AtlasEvent[][] =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    judgedSession(from + index, { judge: scoreOf(from + index) }, hash),
  );

/** Waits as `settle` does, which asks after a while whether state is outdated: that of the version before is meant to be. */
async function consumed(log: EventLog): Promise<void> {
  for (const { group, topics } of STAGES)
    await log.caughtUp(group, await log.ends(topics), { timeoutMs: LIMIT_MS });
}

async function appendInTurn(log: EventLog, sessions: readonly AtlasEvent[][]): Promise<void> {
  for (const session of sessions) {
    await log.append(session.map(log.mask));
    await consumed(log);
  }
}

/** What is to come of a log that the version before worked on. */
interface Before {
  rest: AtlasEvent[];
  hash: string;
}

/** Fills a log as the version before did, with one session half-way through. */
async function fillAsBefore(place: Place, change: (emission: Emission) => Emission): Promise<Before> {
  const opened = await openPlace(place, false);
  try {
    const hash = await opened.rules.set(RULES);
    const stop = await consumeAsBefore(opened, change);
    await appendInTurn(opened.log, sessionsUnder(hash, 1, SESSIONS));
    const [open] = sessionsUnder(hash, SESSIONS + 1, SESSIONS + 1);
    await opened.log.append(open!.slice(0, 3).map(opened.log.mask));
    await consumed(opened.log);
    await stop();
    return { rest: open!.slice(3), hash };
  } finally {
    await opened.close();
  }
}

let recorded: Before;
const record = recordedFolder(async (path) => {
  recorded = await fillAsBefore({ kind: "embedded", path }, half);
});

/** A log that the version before worked on, whose rewards were half of what they are today. */
async function before(place: Place): Promise<Before> {
  if (place.kind !== "embedded") return fillAsBefore(place, half);
  await record(place.path);
  return recorded;
}

const standing = async ({ db, log }: Pick<OpenPlace, "db" | "log">) => ({
  sessions: (await listSessions(db, { limit: null })).map(
    ({ sessionId, reward, driftAlert, reviewStatus }) => ({
      sessionId,
      reward,
      driftAlert,
      reviewStatus,
    }),
  ),
  lastBaseline: (await eventsOf(log, "atlas.drift", "DriftAssessed")).at(-1)!.baseline,
});

/** What the version of today makes of the same sessions, on every log. */
let fromTheStart: Awaited<ReturnType<typeof standing>>;
beforeAll(async () => {
  const { place, remove } = await embeddedPlace();
  const opened = await openPlace(place, true);
  const hash = await opened.rules.set(RULES);
  await appendInTurn(opened.log, sessionsUnder(hash, 1, SESSIONS + 2));
  await settle(opened.log);
  fromTheStart = await standing(opened);
  await opened.close();
  await remove();
});

const OUTDATED = {
  code: "ATLAS_PROCESSOR_OUTDATED",
  hint: expect.stringContaining("`atlas rebuild --derived`"),
};

describe.each(LOGS)("an upgrade on the $name log", ({ skip, make }) => {
  test.skipIf(skip)("is said, and done by the one command that is named", async () => {
    const { place, remove } = await make();
    onTestFinished(remove);
    const { rest, hash } = await before(place);
    const opened = await openPlace(place, true);
    onTestFinished(opened.close);
    const { log } = opened;
    await log.append(rest.map(log.mask));
    await expect(settle(log)).rejects.toMatchObject(OUTDATED);
    await expect(rebuild(opened)).rejects.toMatchObject(OUTDATED);

    const { derived } = await rebuild(opened, { derived: true, mayPublish: async () => true });
    expect(derived!.renewed.map(({ processor, from, to }) => [processor, from, to])).toEqual(
      PROCESSORS.map(({ name, version }) => [name, version - 1, version]),
    );
    expect(derived!.published).toBeGreaterThan(SESSIONS);
    expect(derived!.explained).toBe(derived!.differences);
    // The consumers went on by themselves, with what was half-way through, and with what is new.
    await settle(log);
    await appendInTurn(log, sessionsUnder(hash, SESSIONS + 2, SESSIONS + 2));
    await settle(log);
    expect(await standing(opened)).toEqual(fromTheStart);
    const again = (await rebuild(opened, { derived: true, mayPublish: async () => true })).derived!;
    expect(again).toMatchObject({ renewed: [], published: 0, explained: again.differences });
  });
});

test("an upgrade that changes no result publishes nothing", async () => {
  const { place, remove } = await embeddedPlace();
  onTestFinished(remove);
  const { rest } = await fillAsBefore(place, (emission) => emission);
  const opened = await openPlace(place, true);
  onTestFinished(opened.close);
  await opened.log.append(rest.map(opened.log.mask));
  const { derived } = await rebuild(opened, { derived: true });
  expect(derived).toMatchObject({ differences: 0, published: 0 });
  expect(derived!.renewed).toHaveLength(PROCESSORS.length);
});

test("an upgrade that failed half-way is gone on with", async () => {
  const { place, remove } = await embeddedPlace();
  onTestFinished(remove);
  await before(place);
  const opened = await openPlace(place, false);
  onTestFinished(opened.close);
  const { db, log, rules } = opened;
  await db.query(
    `create function fail() returns trigger language plpgsql as $$ begin raise exception 'power is gone'; end $$`,
  );
  await db.query(
    "create trigger fail before insert on atlas_log.state for each row when (new.group_id = 'drift') execute function fail()",
  );
  await expect(renewStates(log, rules)).rejects.toThrow("power is gone");
  await db.query("drop function fail() cascade");
  const rest = await renewStates(log, rules);
  expect(rest.map(({ processor }) => processor)).toEqual(["drift", "review"]);
  expect(await renewStates(log, rules)).toEqual([]);
});

test("who has the earlier version is told to upgrade, and renews nothing", async () => {
  const { place, remove } = await embeddedPlace();
  onTestFinished(remove);
  await before(place);
  const opened = await openPlace(place, false);
  onTestFinished(opened.close);
  await opened.db.query("update atlas_log.state set version = 99 where group_id = 'review'");
  await expect(renewStates(opened.log, opened.rules)).rejects.toMatchObject({
    code: "ATLAS_PROCESSOR_OUTDATED",
    hint: expect.stringContaining("Upgrade this process"),
  });
});

test("a command says what to run, and running it is all there is to do", async () => {
  const folder = userFolder();
  const { rest } = await before({ kind: "embedded", path: `${folder}/.atlas` });
  const opened = await openPlace({ kind: "embedded", path: `${folder}/.atlas` }, false);
  await opened.log.append(rest.map(opened.log.mask));
  await opened.close();
  const refused = await command(folder, ["rebuild"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("atlas rebuild --derived");
  const renewed = await command(folder, ["rebuild", "--derived", "--yes"]);
  expect(renewed).toMatchObject({ code: 0, stdout: expect.stringContaining("state of drift anew") });
  const again = await command(folder, ["rebuild", "--derived"]);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/0 published|all equal/) });
});

test("a command that is killed again and again is completed by the next", async () => {
  const folder = userFolder();
  const place: Place = { kind: "embedded", path: `${folder}/.atlas` };
  const { rest } = await before(place);
  const watching = await openPlace(place, false);
  onTestFinished(watching.close);
  const { db, log } = watching;
  await log.append(rest.map(log.mask));
  const renewed = async (name: string): Promise<boolean> => {
    const { version } = PROCESSORS.find((processor) => processor.name === name)!;
    const { rows } = await db.query<{ found: boolean }>(
      "select exists (select from atlas_log.state where group_id = $1 and version = $2) as found",
      [name, version],
    );
    return rows[0]!.found;
  };
  const revised = async (): Promise<boolean> =>
    (await eventsOf(log, "atlas.rewards", "SessionRewarded")).length > SESSIONS;
  for (const isReached of [() => renewed("session-rewards"), () => renewed("review"), revised]) {
    const { child, ended } = startAtlas(folder, ["rebuild", "--derived", "--yes"]);
    await eventually(async () => expect(child.exitCode !== null || (await isReached())).toBe(true));
    child.kill("SIGKILL");
    await ended;
  }
  await watching.close();
  expect(await command(folder, ["rebuild", "--derived", "--yes"])).toMatchObject({ code: 0 });
  const opened = await openPlace(place, true);
  onTestFinished(opened.close);
  await appendInTurn(opened.log, sessionsUnder(await opened.rules.set(RULES), SESSIONS + 2, SESSIONS + 2));
  await settle(opened.log);
  expect(await standing(opened)).toEqual(fromTheStart);
});
