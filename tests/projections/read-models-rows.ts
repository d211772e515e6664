import { beforeAll, expect, it } from "vitest";
import type { Database } from "../../database/database.ts";
import { createReadModels } from "../../projections/read-models.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { splitContent } from "../../traces/content.ts";
import { foldSession } from "../../traces/fold.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { factsOf, sessionId, sessionWriter, stored } from "../traces/sessions.ts";
import { sessions } from "./four-sessions.ts";
import { applyRecords, applyUnit, emptyReadModels, everything, logOf } from "./replayed.ts";

async function traceOf(db: Database, name: string): Promise<SessionTrace | undefined> {
  for await (const trace of streamTraces(db, { sessionIds: [sessionId(name)], reviewStatusFilters: "all" }))
    return trace;
  return undefined;
}

/** What stands in the rows of the read models. */
export function readModelsRows(database: () => Database): void {
  let db: Database;
  beforeAll(() => {
    db = database();
  });

  it("have no row of a session that did not start, and all of them once it has", async () => {
    const { own, facts } = sessions[0]!;
    const [start, ...rest] = own;
    const readModels = createReadModels();
    const all = logOf([...facts, ...rest]);
    await applyRecords(db, all, { batchSize: 6, readModels });
    const before = await everything(db);
    expect(before.sessions).toEqual([]);
    expect(before.trajectory_events).toEqual([]);
    expect(before.session_facts).toHaveLength(all.length);

    const late = { ...logOf(own)[0]!, event: start!, offset: own.length };
    await applyUnit(db, readModels, [late]);
    const trace = await traceOf(db, "a");
    expect(trace).toMatchObject({ incomplete: false, status: "succeeded", review_status: "approved" });
    expect(encodeTrainingLine(trace!)).toBe(encodeTrainingLine(foldSession([...own, ...facts])));
    expect((await everything(db)).session_facts).toHaveLength(facts.length);
  });

  it("show a session while it runs", async () => {
    const { own } = sessions[0]!;
    await applyRecords(db, logOf(own.slice(0, 8)), { batchSize: 3 });
    const { rows } = await db.query("select status, completed_at, incomplete, event_count from sessions");
    expect(rows).toEqual([{ status: "running", completed_at: null, incomplete: false, event_count: 8 }]);
  });

  it("mark a session with a gap", async () => {
    const { own } = sessions[0]!;
    await applyRecords(db, logOf(own.filter((_, index) => index !== 9)));
    const { rows } = await db.query(
      "select incomplete, metadata -> 'incomplete_reasons' as reasons from sessions",
    );
    expect(rows).toEqual([{ incomplete: true, reasons: ["event 10 is missing"] }]);
  });

  it("take the latest revision of a reward, with the rewards of its steps", async () => {
    const { own, facts } = sessions[0]!;
    const revised = factsOf(own, { revision: 1, score: 0.125 });
    await applyRecords(db, logOf([...own, ...facts, ...revised]));
    const later = await everything(db);
    const { rows } = await db.query(
      "select reward -> 'score' as score, reward_stats -> 'score' as stats from sessions",
    );
    expect(rows).toEqual([{ score: 0.125, stats: 0.125 }]);
    await emptyReadModels(db);
    await applyRecords(db, logOf([...revised, ...own, ...facts]), { batchSize: 1 });
    expect(await everything(db)).toEqual(later);
  });

  it("forget an erased session, whatever comes before or after", async () => {
    const { own, facts } = sessions[0]!;
    const erased = stored(
      createEvent(
        "SessionErased",
        {
          event_id: idOf("erased"),
          session_id: sessionId("a"),
          source: "review/erase",
          sequence: 1,
          occurred_at: 1,
          time_assumed: false,
        },
        { learning_key: "key a", author: "Ada" },
      ),
    );
    const kept: unknown[] = [];
    for (const order of [
      [...own, ...facts, erased],
      [erased, ...facts, ...own],
      [...own.slice(0, 9), erased, ...own.slice(9), ...facts],
    ]) {
      await emptyReadModels(db);
      await applyRecords(db, logOf(order), { batchSize: 4 });
      const { session_facts, ...tables } = await everything(db);
      expect(Object.values(tables).flat()).toEqual([]);
      expect(session_facts).toHaveLength(1);
      kept.push(session_facts);
    }
    expect(new Set(kept.map((rows) => JSON.stringify(rows))).size).toBe(1);
  });

  it("mark a session of which a record was set aside, and keep the record", async () => {
    const { own, facts } = sessions[0]!;
    const letter = createEvent(
      "DeadLettered",
      {
        event_id: idOf("letter"),
        session_id: sessionId("a"),
        source: "dead-letters/drift/atlas.rewards/1",
        sequence: 8,
        occurred_at: 1_700_000_000_000_000,
        time_assumed: false,
      },
      {
        learning_key: "key a",
        group: "drift",
        topic: "atlas.rewards",
        partition: 1,
        offset: 7,
        error_code: "ATLAS_UNEXPECTED",
        error: "no\0",
        fingerprint: "abc",
        body: Buffer.from([0, 1, 255]),
      },
    );
    const rows: unknown[] = [];
    for (const order of [
      [...own, ...facts, letter, letter],
      [letter, ...facts, ...own],
    ]) {
      await emptyReadModels(db);
      await applyRecords(db, logOf(order), { batchSize: 5 });
      rows.push(await everything(db));
      const { rows: letters } = await db.query(
        'select session_uuid, "offset"::int as offset, body from atlas_log.dead_letters',
      );
      expect(letters).toEqual([{ session_uuid: sessionId("a"), offset: 7, body: Buffer.from([0, 1, 255]) }]);
      const { rows: marked } = await db.query("select incomplete from sessions");
      expect(marked).toEqual([{ incomplete: true }]);
    }
    expect(rows[0]).toEqual(rows[1]);
  });

  it("are not stopped by a dead letter that names no session of ours", async () => {
    const letter = createEvent(
      "DeadLettered",
      {
        event_id: idOf("x"),
        session_id: "not a uuid",
        source: "s",
        sequence: 1,
        occurred_at: 1,
        time_assumed: false,
      },
      {
        learning_key: "k",
        group: "g",
        topic: "t",
        partition: 0,
        offset: 0,
        error_code: "X",
        error: "",
        fingerprint: "",
        body: Buffer.alloc(0),
      },
    );
    await applyRecords(db, logOf([letter]));
    const { rows } = await db.query("select session_uuid from atlas_log.dead_letters");
    expect(rows).toEqual([{ session_uuid: null }]);
  });

  it("refuse a session event without a session, so that it is set aside", async () => {
    const { emit } = sessionWriter("x");
    const event = emit("SessionStarted", { task: "t", learning_key: "k", agent: "a" });
    const stray = { ...event, meta: { ...event.meta, session_id: "nobody" } } as AtlasEvent;
    const record = { ...logOf([event])[0]!, event: stray };
    await expect(applyUnit(db, createReadModels(), [record])).rejects.toMatchObject({
      code: "ATLAS_EVENT_INVALID",
    });
  });

  it("keep texts that Postgres could not hold, in columns with U+FFFD, in events as they were", async () => {
    const { emit, events: own } = sessionWriter("hostile");
    emit("SessionStarted", {
      task: "a\0b\u2028",
      learning_key: "k",
      agent: "x",
      metadata: '{"__proto__":{"x":1},"nul":"\\u0000","half":"\\ud83d","drift_alert":"yes","reward_stats":3}',
    });
    emit("StepStarted", { step_id: 1, description: "\0" });
    emit("StepEnded", {
      step_id: 1,
      status: "succeeded",
      attempts: 1,
      output: "o\0",
      artifacts: "[1]",
      deliverable: "no json",
    });
    emit("SessionEnded", { learning_key: "k", status: "succeeded", final_answer: '"\0"' });
    await applyRecords(db, logOf(own), { batchSize: 1 });
    const { rows } = await db.query(
      `select s.task, s.final_answer, s.metadata -> '__proto__' as proto, s.metadata ->> 'nul' as nul, s.metadata ->> 'half' as half,
              s.metadata ? 'drift_alert' as alert, r.output, r.metadata -> 'artifacts' as artifacts, p.plan -> 'steps' -> 0 ->> 'description' as description
         from sessions s join step_results r on r.session_id = s.id join plans p on p.session_id = s.id`,
    );
    expect(rows).toEqual([
      {
        task: "a\ufffdb\u2028",
        final_answer: '"\ufffd"',
        proto: { x: 1 },
        nul: "\ufffd",
        half: "\ufffd",
        alert: false,
        output: "o\ufffd",
        artifacts: { value: [1] },
        description: "\ufffd",
      },
    ]);
    expect((await traceOf(db, "hostile"))?.events).toEqual(foldSession(own).events);
  });

  it("are not stopped by JSON that is too deep for Postgres", async () => {
    const { emit, events: own } = sessionWriter("deep");
    const metadata = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "x", metadata });
    emit("SessionEnded", { learning_key: "k", status: "succeeded" });
    await applyRecords(db, logOf(own));
    expect((await traceOf(db, "deep"))?.started?.metadata).toBe(metadata);
  });

  it("join content that came in many messages, in any batches", async () => {
    const { emit, events: own, nextMeta, id } = sessionWriter("large");
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
    const output = "large 漢字 ".repeat(250_000);
    const whole = stored(
      createEvent("ToolCallEnded", nextMeta(), {
        call_id: "c",
        name: "read",
        output,
        error: "e".repeat(600_000),
      }),
    );
    own.push(whole);
    const parts = splitContent(alreadyMasked(whole), () => {
      const meta = nextMeta();
      own.push(whole);
      return meta;
    });
    own.splice(1);
    for (const part of parts) own.push(stored(part));
    emit("SessionEnded", { learning_key: "k", status: "succeeded" });
    expect(parts.length).toBeGreaterThan(10);
    const tables: unknown[] = [];
    for (const [batchSize, cacheBytes] of [
      [500, 64_000_000],
      [1, 0],
      [3, 64_000_000],
      [4, 0],
    ] as const) {
      await emptyReadModels(db);
      await applyRecords(db, logOf(own), { batchSize, readModels: createReadModels({ cacheBytes }) });
      tables.push(await everything(db));
    }
    for (const table of tables.slice(1)) expect(table).toEqual(tables[0]);
    const trace = await traceOf(db, "large");
    expect(trace?.events.map(({ type }) => type)).toEqual([
      "SessionStarted",
      "ToolCallEnded",
      "SessionEnded",
    ]);
    expect(trace?.events[1]).toEqual({ ...whole });
    expect(trace?.session_id).toBe(id);
    expect(trace?.incomplete).toBe(false);
  });

  it("keep the playbooks of a learning key, the highest revision of each audience", async () => {
    const revised = (audience: string, revision: number): AtlasEvent =>
      stored(
        createEvent(
          "PlaybookRevised",
          {
            event_id: idOf("playbook", audience, revision),
            source: `playbooks/${audience}`,
            sequence: revision,
            occurred_at: 1_700_000_000_000_000 + revision,
            time_assumed: false,
          },
          { learning_key: "k", audience, revision, playbook: JSON.stringify(`Do ${revision}.`) },
        ),
      );
    await applyRecords(db, logOf([revised("student", 2), revised("student", 1), revised("teacher", 1)]));
    const { rows } = await db.query(
      "select learning_key, student_learning, teacher_learning, student_revision from learning_registry",
    );
    expect(rows).toEqual([
      { learning_key: "k", student_learning: "Do 2.", teacher_learning: "Do 1.", student_revision: 2 },
    ]);
  });
}
