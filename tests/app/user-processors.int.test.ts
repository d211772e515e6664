import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { map } from "rxjs";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Atlas, type OpenOptions, openAtlas } from "../../app/open-atlas.ts";
import { defineEvent, defineProcessor, defineProjection, derive } from "../../app/processors.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { loopDetection, loopFound } from "../../examples/processors/loop-detection.ts";
import { diversity, groupDiversity, rollouts } from "../../examples/processors/rollout-diversity.ts";
import { sessionCost, sessionCosts, tenantCosts } from "../../examples/processors/tenant-cost.ts";
import type { LogFields } from "../../logging/logger.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Draft, EventType } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { eventsIn } from "../as-readers.ts";
import { eventually } from "../eventually.ts";
import { kafka, missing, postgres } from "../services/services.ts";

type LogInput = NonNullable<ConfigInput["log"]>;

const OURS: OpenOptions = {
  consumers: true,
  processors: [diversity, rollouts, sessionCosts, loopDetection],
  projections: [tenantCosts],
};

const START = Date.UTC(2026, 0, 5) * 1000;

/** A session of a tenant that calls one tool five times and answers. */
function session(number: number, tenant: string, group: string): AtlasEvent[] {
  const session_id = idOf("user-processors", number);
  let sequence = 0;
  const event = <T extends EventType>(type: T, draft: Draft<T>): AtlasEvent => {
    sequence += 1;
    const event_id = idOf(session_id, sequence);
    const occurred_at = START + number * 60_000_000 + sequence;
    return createEvent(
      type,
      { event_id, session_id, source: session_id, sequence, occurred_at, time_assumed: false },
      draft,
    );
  };
  const learning_key = "user-processors";
  return [
    event("SessionStarted", {
      task: "Look it up",
      learning_key,
      agent: "tester",
      origin: "run",
      tenant,
      group_id: group,
    }),
    ...Array.from({ length: 5 }, (_, call) =>
      event("ToolCallStarted", { call_id: String(call), name: "search", arguments: '{"q":"atlas"}' }),
    ),
    event("SessionEnded", {
      learning_key,
      status: "succeeded",
      final_answer: `Answer ${number % 2}`,
      usage: { prompt_tokens: 60, completion_tokens: 40, total_tokens: 100, calls: 1 },
      cost: 0.25,
    }),
  ];
}

const SESSIONS = [0, 1, 2, 3].flatMap((number) => session(number, number < 3 ? "north" : "south", "g"));

const embedded = async (): Promise<{ log: LogInput; remove(): void }> => {
  const path = mkdtempSync(join(tmpdir(), "atlas-parts-"));
  return { log: { kind: "embedded", path }, remove: () => rmSync(path, { recursive: true, force: true }) };
};

const LOGS = [
  { name: "embedded", skip: false, make: embedded },
  {
    name: "postgres",
    skip: await missing("postgres"),
    make: async () => ({
      log: { kind: "postgres", databaseUrl: (await postgres()).url } satisfies LogInput,
      remove: () => undefined,
    }),
  },
  {
    name: "kafka",
    skip: await missing("kafka", "postgres"),
    make: async () => {
      const { brokers, schemaRegistryUrl } = await kafka();
      const namespace = `parts${randomUUID().slice(0, 8)}`;
      const databaseUrl = (await postgres()).url;
      const log = { kind: "kafka", brokers, schemaRegistryUrl, databaseUrl, namespace } satisfies LogInput;
      return { log, remove: () => undefined };
    },
  },
];

const opened: Atlas[] = [];
afterEach(async () => {
  for (const atlas of opened.splice(0)) await atlas.close();
});
const open = async (log: LogInput, options: OpenOptions): Promise<Atlas> => {
  const atlas = await openAtlas({ log }, options);
  opened.push(atlas);
  return atlas;
};

describe.each(LOGS)("processors of a user's on $name", ({ skip, make }) => {
  test.skipIf(skip)("run beside those of Atlas, and go on in another process", async () => {
    const { log, remove } = await make();
    const first = await open(log, OURS);
    await first.log.append(SESSIONS.slice(0, 10).map(first.log.mask));
    await first.settled();
    await first.close();

    const atlas = await open(log, OURS);
    await atlas.log.append(SESSIONS.slice(10).map(atlas.log.mask));
    await atlas.settled();

    const costs = (await eventsIn(atlas.log, sessionCost.topic)).map((event) => sessionCost.read(event)!);
    expect(costs.map(({ tenant, tokens }) => `${tenant} ${tokens}`).sort()).toEqual([
      ...Array(3).fill("north 100"),
      "south 100",
    ]);
    expect(costs[0]!.meta.derivation).toMatchObject({ processor: "session-costs", version: 1 });
    const loops = (await eventsIn(atlas.log, loopFound.topic)).map((event) => loopFound.read(event)!);
    expect(loops.map(({ tool, times }) => `${tool} ${times}`)).toEqual(Array(4).fill("search 5"));
    const groups = (await eventsIn(atlas.log, groupDiversity.topic)).map(
      (each) => groupDiversity.read(each)!,
    );
    expect(groups.at(-1)).toMatchObject({ group: "g", rollouts: 4, diversity: 0.5 });

    const { rows } = await atlas.db.query(
      `select tenant, day::text, sessions, tokens::int, usd from ${tenantCosts.schema}.daily order by tenant`,
    );
    expect(rows).toEqual([
      { tenant: "north", day: "2026-01-05", sessions: 3, tokens: 300, usd: 0.75 },
      { tenant: "south", day: "2026-01-05", sessions: 1, tokens: 100, usd: 0.25 },
    ]);
    const { rows: states } = await atlas.db.query(
      "select key from atlas_log.state where group_id in ('session-costs', 'loop-detection', 'rollouts')",
    );
    expect(states).toEqual([]);
    await atlas.close();
    remove();
  });
});

describe("what a user adds is refused before anything is opened", () => {
  const seen = defineEvent({ type: "refused.Seen", topic: "refused.seen", zod: z.object({}) });
  const again = defineEvent({ type: "refused.Again", topic: "refused.again", zod: z.object({}) });
  const processor = (name: string, from: typeof seen | typeof again, to: typeof seen | typeof again) =>
    defineProcessor({
      name,
      version: 1,
      facts: [from],
      emits: [to],
      key: () => "",
      pipe: (facts$) => facts$.pipe(map(() => derive(to, {}))),
    });
  const writesRewards = defineProcessor({
    name: "own-rewards",
    version: 1,
    facts: ["SessionEnded"],
    emits: ["SessionRewarded"],
    key: ({ meta }) => meta.session_id ?? "",
    reduce: () => ({ state: undefined, emit: [] }),
  });

  test.each([
    ["a name of Atlas", [processor("drift", seen, again)], /its name is taken/],
    ["two of one name", [processor("one", seen, again), processor("one", seen, again)], /its name is taken/],
    ["a topic of Atlas", [writesRewards], /emits to atlas\.rewards/],
    ["a circle", [processor("one", seen, again), processor("two", again, seen)], /feed each other: one, two/],
  ])("%s", async (_, processors, problem) => {
    const path = join(tmpdir(), `atlas-refused-${randomUUID()}`);
    await expect(openAtlas({ log: { kind: "embedded", path } }, { processors })).rejects.toMatchObject({
      code: "ATLAS_PROCESSOR_INVALID",
      message: expect.stringMatching(problem),
      hint: expect.any(String),
    });
  });
});

test("a read model's tables cannot change under one version, and a new version is filled beside the old one", async () => {
  const { log, remove } = await embedded();
  const counts = (version: number, tables: string) =>
    defineProjection({
      name: "ended-sessions",
      version,
      facts: ["SessionEnded"],
      tables,
      apply: async (facts, tx) => {
        await tx.query("insert into counted select unnest($1::text[])", [
          facts.map(({ meta }) => meta.session_id),
        ]);
      },
    });
  const first = await open(log, { projections: [counts(1, "create table counted (id text)")] });
  await first.log.append(session(1, "north", "g").map(first.log.mask));
  await first.settled();
  await first.close();

  const changed = counts(1, "create table counted (id text primary key)");
  await expect(openAtlas({ log }, { projections: [changed] })).rejects.toMatchObject({
    code: "ATLAS_PROJECTION_INVALID",
    hint: expect.stringContaining("Raise its version"),
  });

  const raised = counts(2, "create table counted (id text primary key)");
  const second = await open(log, { projections: [raised] });
  await second.settled();
  for (const schema of ["ended_sessions_v1", "ended_sessions_v2"])
    expect((await second.db.query(`select id from ${schema}.counted`)).rows).toHaveLength(1);
  await second.close();
  remove();
});

describe("a new version of a user's processor", () => {
  const sized = defineEvent({
    type: "userversions.Sized",
    topic: "userversions.sized",
    zod: z.object({ calls: z.int() }),
  });
  /** Counts the tool calls of a session; the second version finds that there is one more. */
  const sizing = (version: number) =>
    defineProcessor({
      name: "sizing",
      version,
      facts: ["ToolCallStarted", "SessionEnded"],
      emits: [sized],
      key: ({ meta }) => meta.session_id ?? "",
      reduce: (calls: number = 0, fact) =>
        fact.type === "ToolCallStarted"
          ? { state: calls + 1, emit: [] }
          : { state: undefined, emit: [derive(sized, { calls: calls + version - 1 })], over: true },
    });
  const said = async ({ log }: Atlas) =>
    (await eventsIn(log, sized.topic)).map((event) => {
      const { calls, meta } = sized.read(event)!;
      return `${calls} by ${meta.derivation!.version}, revision ${meta.derivation!.revision}`;
    });

  test("answers by itself on the embedded log, and revises what the old one said", async () => {
    const { log, remove } = await embedded();
    const first = await open(log, { processors: [sizing(1)] });
    await first.log.append(session(1, "north", "g").map(first.log.mask));
    await first.settled();
    await first.close();

    const second = await open(log, { processors: [sizing(2)] });
    await second.log.append(session(2, "north", "g").map(second.log.mask));
    await second.settled();
    // Each partition is taken over by itself.
    await eventually(async () =>
      expect((await said(second)).sort()).toEqual([
        "5 by 1, revision 0",
        "6 by 2, revision 0",
        "6 by 2, revision 1",
      ]),
    );
    expect(await second.processors.list()).toContainEqual({
      processor: "sizing",
      version: 2,
      role: "answers",
      behind: 0,
      kept: 0,
    });
    await second.processors.retire({ processor: "sizing", version: 1 });
    await second.close();
    remove();
  });

  test("waits for somebody where that is asked for, and says so", async () => {
    const { log, remove } = await embedded();
    const warned: unknown[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: ({ code, group }: LogFields) => void warned.push([code, group]),
      error: () => undefined,
    };
    const config = { log, promotion: "manual" } as const;
    const first = await openAtlas(config, { processors: [sizing(1)] });
    await first.log.append(session(1, "north", "g").map(first.log.mask));
    await first.settled();
    await first.close();

    const second = await openAtlas(config, { processors: [sizing(2)], logger });
    await second.settled();
    expect(await said(second)).toEqual(["5 by 1, revision 0"]);
    await eventually(() => expect(warned).toContainEqual(["ATLAS_VERSION_SILENT", "sizing@2"]));
    expect(await second.processors.promote({ processor: "sizing" })).toMatchObject({
      version: 2,
      revised: 1,
    });
    expect(await said(second)).toEqual(["5 by 1, revision 0", "6 by 2, revision 1"]);
    await second.close();
    remove();
  });
});
