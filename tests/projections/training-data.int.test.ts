import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database, Queryable } from "../../database/database.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import {
  countTrainingSessions,
  getSession,
  getTrainingSessions,
  paginateSessions,
  resolveSessionId,
  streamTraces,
  streamTrainingSessions,
} from "../../projections/training-data.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { factsOf, sessionId, sessionWriter, wholeSession } from "../traces/sessions.ts";
import { DATABASES } from "./databases.ts";
import { applyRecords, logOf } from "./replayed.ts";

const START = 1_700_000_000_000_000;
const DAY = 86_400_000_000;

/** Ten approved sessions a day apart, s0 the oldest, with rewards 0 to 0.9 and two learning keys in turn. */
const approved = Array.from({ length: 10 }, (_, index) => {
  const own = wholeSession(`s${index}`, {
    start: START + index * DAY,
    score: index / 10,
    learningKey: index % 2 === 0 ? "even" : "odd",
    status: index === 9 ? "failed" : "succeeded",
  });
  return { own, facts: factsOf(own) };
});
const quarantined = wholeSession("quarantined", { start: START + 20 * DAY });
const pending = wholeSession("pending", { start: START + 21 * DAY });
const unjudged = sessionWriter("unjudged", START + 22 * DAY);
unjudged.emit("SessionStarted", { task: "t", learning_key: "even", agent: "x" });

const EVENTS: AtlasEvent[] = [
  ...approved.flatMap(({ own, facts }) => [...own, ...facts]),
  ...quarantined,
  ...factsOf(quarantined, { decision: "quarantined" }),
  ...pending,
  ...unjudged.events,
];

/** Counts the statements that go to a database. */
function counting(db: Database): { db: Queryable; count: () => number } {
  let statements = 0;
  return {
    db: {
      query: (sql, params) => {
        statements += 1;
        return db.query(sql, params);
      },
    },
    count: () => statements,
  };
}

const tasks = (sessions: readonly { task: string }[]): string[] => sessions.map(({ task }) => task);
const named = (...numbers: number[]): string[] => numbers.map((number) => `Count s${number}`);

describe.each(DATABASES)("training data on $name", ({ skip, open }) => {
  describe.skipIf(skip)("", () => {
    let db: Database;
    beforeAll(async () => {
      db = await open();
      await applyRecords(db, logOf(EVENTS));
    });
    afterAll(() => db?.close());

    it("comes newest first, approved sessions only", async () => {
      expect(tasks(await getTrainingSessions(db))).toEqual(named(9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    });

    it("comes as asked", async () => {
      const read = async (options: Parameters<typeof getTrainingSessions>[1]): Promise<string[]> =>
        tasks(await getTrainingSessions(db, options));
      expect(await read({ minReward: 0.7 })).toEqual(named(9, 8, 7));
      expect(await read({ limit: 2, offset: 3 })).toEqual(named(6, 5));
      expect(await read({ limit: 0 })).toEqual([]);
      expect(await read({ createdAfter: new Date((START + 8 * DAY) / 1000) })).toEqual(named(9, 8));
      expect(await read({ learningKey: "odd", minReward: 0.5 })).toEqual(named(9, 7, 5));
      expect(await read({ statusFilters: ["Failed"] })).toEqual(named(9));
      expect(await read({ reviewStatusFilters: ["quarantined"] })).toEqual(["Count quarantined"]);
      expect(await read({ reviewStatusFilters: ["pending"] })).toEqual(["t", "Count pending"]);
      expect(await read({ reviewStatusFilters: "all" })).toHaveLength(13);
      expect(await read({ reviewStatusFilters: "all", minReward: 0 })).toHaveLength(11);
      expect(await read({ sessionIds: [sessionId("s3"), sessionId("s1")] })).toEqual(named(3, 1));
    });

    it("comes by what else is known of a session", async () => {
      const read = async (options: Parameters<typeof getTrainingSessions>[1]): Promise<string[]> =>
        tasks(await getTrainingSessions(db, options));
      expect(await read({ maxReward: 0.2 })).toEqual(named(2, 1, 0));
      expect(await read({ minReward: 0.3, maxReward: 0.5 })).toEqual(named(5, 4, 3));
      expect(await read({ createdBefore: new Date((START + 2 * DAY) / 1000) })).toEqual(named(1, 0));
      expect(await read({ lane: "coach" })).toHaveLength(10);
      expect(await read({ lane: "auto" })).toEqual([]);
      expect(await read({ agent: "counter", limit: 1 })).toEqual(named(9));
      expect(await read({ agent: "x" })).toEqual([]);
      expect(await read({ tags: ["a"] })).toHaveLength(10);
      expect(await read({ tags: ["a", "b"] })).toEqual([]);
      expect(await read({ tags: [] })).toHaveLength(10);
      expect(await read({ driftAlert: false })).toHaveLength(10);
      expect(await read({ driftAlert: true })).toEqual([]);
      expect(await read({ minSteps: 2 })).toHaveLength(10);
      expect(await read({ minSteps: 3 })).toEqual([]);
      expect(await read({ minSteps: 1, reviewStatusFilters: "all" })).toHaveLength(12);
      expect(await countTrainingSessions(db, { maxReward: 0.2, lane: "coach", tags: ["a"] })).toBe(3);
    });

    it("is asked for by what no database holds, and has none", async () => {
      const odd = "o\0dd";
      for (const options of [{ learningKey: odd }, { lane: odd }, { agent: odd }, { tags: [odd] }])
        expect(await getTrainingSessions(db, options)).toEqual([]);
      expect(await listSessions(db, { learningKey: odd })).toEqual([]);
    });

    it.each([
      { minReward: Number.NaN },
      { maxReward: Number.POSITIVE_INFINITY },
      { createdAfter: new Date("no date") },
      { createdBefore: "2026-01-01" as unknown as Date },
      { limit: -1 },
      { limit: 1.5 },
      { offset: -1 },
      { minSteps: -1 },
    ])("refuses what means nothing: %o", async (options) => {
      await expect(getTrainingSessions(db, options)).rejects.toMatchObject({ code: "ATLAS_FILTER_INVALID" });
    });

    it("counts what it would give", async () => {
      expect(await countTrainingSessions(db)).toBe(10);
      expect(await countTrainingSessions(db, { minReward: 0.7, learningKey: "odd" })).toBe(2);
      expect(await countTrainingSessions(db, { reviewStatusFilters: "all" })).toBe(13);
    });

    it("gives whole sessions", async () => {
      const [session] = await getTrainingSessions(db, { sessionIds: [sessionId("s8")] });
      const own = approved[8]!.own;
      expect(session).toMatchObject({
        sessionId: sessionId("s8"),
        task: "Count s8",
        finalAnswer: "3",
        status: "succeeded",
        reviewStatus: "approved",
        reviewNotes: "looks right",
        learningKey: "even",
        agent: "counter",
        simulated: false,
        incomplete: false,
        tokens: 24,
        createdAt: new Date((own[0]!.meta.occurred_at - 1) / 1000),
        plan: {
          executionMode: "stepwise",
          steps: [
            { id: 1, toolParams: { query: "x" } },
            { id: 2, dependsOn: [1] },
          ],
        },
        reward: { score: 0.8, judges: [{ identifier: "outcome", samples: [{ uncertainty: 0.1 }] }] },
        rewardStats: { sample_count: 1 },
        adaptiveSummary: { adaptive_mode: "coach" },
        drift: { reason: "insufficient_baseline" },
        driftAlert: false,
        triageDossier: { summary: "counting" },
        teacherNotes: ["Look again."],
        sessionMetadata: { team: "blue", session_id: sessionId("s8"), status: "succeeded" },
      });
      expect(session?.steps).toMatchObject([
        {
          stepId: 1,
          description: "Look",
          output: "found 2",
          trace: "looked twice",
          reward: { score: 0.5 },
          tool: "search",
          toolParams: { query: "x" },
          validation: { valid: true },
          attempts: 2,
          attemptHistory: [{ output: "found 1" }, { attempt: 2 }],
          guidance: ["Look again."],
          artifacts: { list: [1, 2, 3] },
          deliverable: "three",
        },
        { stepId: 2, reward: { score: 0.8, raw: { scope: "session" } }, dependsOn: [1], guidance: [] },
      ]);
      expect(session?.trajectoryEvents).toEqual(own.map((event) => ({ ...event })));
    });

    it("has no reward for a session that nobody judged", async () => {
      const session = await getSession(db, sessionId("unjudged"));
      expect(session).toMatchObject({
        reward: null,
        rewardStats: null,
        completedAt: null,
        status: "running",
      });
    });

    it("leaves out what was not asked for", async () => {
      const [bare] = await getTrainingSessions(db, {
        includeTrajectoryEvents: false,
        includeLearningData: false,
      });
      expect(bare).not.toHaveProperty("trajectoryEvents");
      expect(bare).not.toHaveProperty("reward");
      expect(bare?.steps).toHaveLength(2);
    });

    it("asks the same number of times however many sessions there are", async () => {
      const [few, many] = [counting(db), counting(db)];
      await getTrainingSessions(few.db, { limit: 1 });
      await getTrainingSessions(many.db, { reviewStatusFilters: "all" });
      expect(many.count()).toBe(few.count());
      expect(many.count()).toBe(1);
    });

    it("comes in pages and as a stream, every session once", async () => {
      const pages: string[][] = [];
      for await (const page of paginateSessions(db, { pageSize: 4 })) pages.push(tasks(page));
      expect(pages).toEqual([named(9, 8, 7, 6), named(5, 4, 3, 2), named(1, 0)]);
      const streamed: string[] = [];
      for await (const { task } of streamTrainingSessions(db, { limit: 3, offset: 1 })) streamed.push(task);
      expect(streamed).toEqual(named(8, 7, 6));
      const traces: string[] = [];
      for await (const { started } of streamTraces(db, { limit: 2 })) traces.push(started!.task);
      expect(traces).toEqual(named(9, 8));
    });

    it("is found by UUID, prefix and integer", async () => {
      const id = sessionId("s4");
      const { rows } = await db.query<{ id: number }>("select id from sessions where session_uuid = $1", [
        id,
      ]);
      for (const text of [
        id,
        id.slice(0, 8),
        id.slice(0, 13),
        id.toUpperCase(),
        ` ${id} `,
        String(rows[0]!.id),
      ]) {
        expect(await resolveSessionId(db, text)).toBe(id);
      }
      for (const text of ["nothing", "abc", "ffffffff-ffff", "0", "99999999", "", id.replaceAll("-", "x")]) {
        await expect(resolveSessionId(db, text)).rejects.toMatchObject({ code: "ATLAS_SESSION_NOT_FOUND" });
      }
    });

    it("is ambiguous where a prefix fits several sessions, and names them", async () => {
      const { events, emit } = sessionWriter("twin");
      emit("SessionStarted", { task: "the twin", learning_key: "k", agent: "x" });
      const [id] = events.map(({ meta }) => meta.session_id!);
      const twin = `${id!.slice(0, -1)}${id!.endsWith("0") ? "1" : "0"}`;
      const copy = events.map((event) => ({
        ...event,
        meta: { ...event.meta, session_id: twin, source: twin, event_id: crypto.randomUUID() },
      })) as AtlasEvent[];
      await applyRecords(db, logOf([...events, ...copy]));
      await expect(resolveSessionId(db, id!.slice(0, 20))).rejects.toMatchObject({
        code: "ATLAS_SESSION_AMBIGUOUS",
        message: expect.stringMatching(new RegExp(`${id}.*the twin|${twin}.*the twin`)),
      });
    });
  });
});
