import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { prepareLogTables } from "../../log/log-tables.ts";
import { prepareReadModels } from "../../projections/prepare-read-models.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import {
  type AtlasSessionTrace,
  countTrainingSessions,
  getTrainingSessions,
  type SessionFilters,
} from "../../projections/training-data.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { applyRecords, logOf } from "../projections/replayed.ts";
import { pythonFor } from "../services/python.ts";
import { missing, postgres } from "../services/services.ts";
import { factsOf, sessionWriter, wholeSession } from "../traces/sessions.ts";
import { runPython } from "./arc-atlas.ts";
import { READER_SCHEMA } from "./reader-schema.ts";

const START = 1_700_000_000_000_000;
const DAY = 86_400_000_000;

/** Sessions of every kind: judged and not, approved and not, failed, running, without a plan, with hostile texts. */
function sessions() {
  const whole = Array.from({ length: 6 }, (_, index) =>
    wholeSession(`interop ${index}`, {
      start: START + index * DAY,
      score: index / 5,
      learningKey: index % 2 === 0 ? "even" : "odd",
      status: index === 4 ? "failed" : "succeeded",
      ...(index === 3 && {
        task: 'quotes " and \\ and \u2028 and 漢字',
        metadata: '{"__proto__":1,"drift":"no"}',
      }),
    }),
  );
  const running = sessionWriter("interop running", START + 10 * DAY);
  running.emit("SessionStarted", { task: "still running", learning_key: "even", agent: "x" });
  const planless = sessionWriter("interop planless", START + 11 * DAY);
  planless.emit("SessionStarted", { task: "no plan", learning_key: "odd", agent: "x" });
  planless.emit("StepStarted", { step_id: 7, description: "only step" });
  planless.emit("StepEnded", { step_id: 7, status: "succeeded", attempts: 1, output: "done" });
  planless.emit("SessionEnded", { learning_key: "odd", status: "succeeded", final_answer: "done" });
  return [
    ...whole.flatMap((own, index) => [
      ...own,
      ...(index === 5 ? [] : factsOf(own, { decision: index === 1 ? "quarantined" : "approved" })),
    ]),
    ...running.events,
    ...planless.events,
  ];
}

interface ExportedLine {
  task: string;
  final_answer: string;
  learning_key: string;
  steps: { step_id: number; output: string }[];
  trajectory_events: { event: { payload: { metadata: { event_id: string } } } }[];
}

interface Exported {
  approved: string[];
  counts: number[];
  lines: ExportedLine[];
  review: Record<string, number>;
  listing: string[];
}

interface Seen {
  sessions: Record<string, unknown>;
  order: string[];
  filtered: Record<string, string[]>;
  counted: Record<string, number>;
  count: number;
  page: string[];
  bare: boolean;
  first: string;
  absent: boolean;
}

const FILTERS: Record<string, SessionFilters> = {
  minReward: { minReward: 0.5 },
  learningKey: { learningKey: "even" },
  otherKey: { learningKey: "no such key" },
  status: { statusFilters: ["succeeded"] },
  approved: { reviewStatusFilters: ["approved"] },
  pending: { reviewStatusFilters: ["pending"] },
  after: { createdAfter: new Date(Date.UTC(2000, 0, 1)) },
  future: { createdAfter: new Date(Date.UTC(2999, 0, 1)) },
};

/** A session of ours in the terms in which the Python client shows one. */
function asSeen(session: AtlasSessionTrace): Record<string, unknown> {
  return {
    task: session.task,
    answer: session.finalAnswer,
    reward: session.reward,
    learningKey: session.learningKey,
    teacherNotes: session.sessionMetadata.teacher_notes ?? null,
    rewardSummary: session.rewardSummary,
    rewardAudit: session.sessionMetadata.reward_audit ?? null,
    drift: session.drift,
    driftAlert: session.sessionMetadata.drift_alert ?? null,
    triageDossier: session.triageDossier,
    adaptiveSummary: session.adaptiveSummary,
    metadata: session.sessionMetadata,
    plan: session.plan.steps.map(({ description }) => description),
    steps: session.steps.map((step) => ({
      id: step.stepId,
      description: step.description,
      trace: step.trace,
      output: step.output,
      // The client takes a missing reward for 0.
      score: step.reward?.score ?? 0,
      judges: step.reward?.judges.map(({ identifier }) => identifier) ?? [],
      tool: step.tool,
      toolParams: step.toolParams,
      dependsOn: step.dependsOn,
      validation: step.validation ?? {},
      attempts: step.attempts,
      attemptHistory: step.attemptHistory,
      guidance: step.guidance,
      artifacts: step.artifacts ?? {},
      deliverable: step.deliverable,
      runtime: step.runtime,
    })),
    // Newest first there.
    events: session.trajectoryEvents!.map(({ type, meta }) => [type, meta.event_id]).reverse(),
  };
}

const python = (await missing("postgres")) ? undefined : await pythonFor("sdk", "the Python SDK's client");

describe.skipIf(!python)("the Python SDK's client", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-interop-"));
  let db: Database;
  let url: string;

  beforeAll(async () => {
    ({ url } = await postgres());
    db = await openPostgres(url);
    await prepareLogTables(db);
    await prepareReadModels(db);
    await applyRecords(db, logOf(sessions()));
  });
  afterAll(async () => {
    await db?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(["without its DDL", "with its DDL on connecting"])("reads what ours reads, %s", async (how) => {
    const schema = join(folder, "schema.sql");
    writeFileSync(schema, READER_SCHEMA);
    const before = await tablesOf(db);
    const args = [url, "even", ...(how.startsWith("with its") ? [schema] : [])];
    const seen = await runPython<Seen>(python!, join(import.meta.dirname, "read_database.py"), args);
    const ours = await getTrainingSessions(db, { reviewStatusFilters: "all" });
    expect(ours).toHaveLength(8);
    expect(seen.order).toEqual(ours.map(({ sessionId }) => sessionId));
    for (const session of ours) {
      const { keys, ...theirs } = seen.sessions[session.sessionId] as { keys: string[] };
      expect(keys).toContain("trajectory_events");
      expect(theirs).toEqual(JSON.parse(JSON.stringify(asSeen(session))));
    }
    for (const [name, filters] of Object.entries(FILTERS)) {
      const asked = { reviewStatusFilters: "all", ...filters } as const;
      const mine = await getTrainingSessions(db, asked);
      expect(seen.filtered[name], name).toEqual(mine.map(({ sessionId }) => sessionId));
      expect(seen.counted[name], name).toBe(await countTrainingSessions(db, asked));
    }
    expect(seen).toMatchObject({ count: 8, bare: true, absent: true });
    expect(seen.page).toEqual(seen.order.slice(2, 5));
    expect(seen.order).toContain(seen.first);
    expect(await tablesOf(db)).toEqual(before);
  });

  it("exports what ours exports, and lists what there is to review", async () => {
    const args = [url, join(folder, "theirs.jsonl")];
    const seen = await runPython<Exported>(python!, join(import.meta.dirname, "export_database.py"), args);
    const ours: SessionTrace[] = [];
    for await (const trace of streamTraces(db)) ours.push(trace);
    expect(seen.approved).toEqual(ours.map(({ session_id }) => session_id));
    expect(seen.counts).toEqual([ours.length, 8]);
    for (const [index, line] of seen.lines.entries()) {
      const { task, final_answer, learning_key, steps, trajectory_events } = JSON.parse(
        encodeTrainingLine(ours[index]!),
      ) as ExportedLine;
      expect(line).toMatchObject({ task, final_answer, learning_key });
      expect(line.steps.map(({ step_id, output }) => [step_id, output])).toEqual(
        steps.map(({ step_id, output }) => [step_id, output]),
      );
      expect(line.trajectory_events.map(({ event }) => event.payload.metadata.event_id)).toEqual(
        trajectory_events.map(({ event }) => event.payload.metadata.event_id),
      );
    }
    const statuses = ["pending", "approved", "quarantined"] as const;
    for (const status of statuses)
      expect(seen.review[status], status).toBe(
        await countTrainingSessions(db, { reviewStatusFilters: [status] }),
      );
    expect(seen.listing.join("\n")).toContain("reward=");
  });
});

/** Every column and index, so that what a reader's DDL adds shows. */
async function tablesOf(db: Database): Promise<unknown[]> {
  const { rows } = await db.query(
    `select table_name::text as "table", column_name::text as name, column_default as value
       from information_schema.columns where table_schema = current_schema()
     union all select tablename::text, indexname::text, indexdef from pg_indexes where schemaname = current_schema()
     order by 1, 2`,
  );
  return rows;
}
