import type { Database } from "../../../database/database.ts";

/** The tables of the Python SDK, as far as its readers know them. */
const TABLES = `
create table sessions (id serial primary key, task text not null, status text not null default 'running',
  metadata jsonb, final_answer text, reward jsonb, reward_stats jsonb, reward_audit jsonb,
  student_learning text, teacher_learning text, review_status text not null default 'pending', review_notes text,
  created_at timestamptz not null default now(), completed_at timestamptz);
create table plans (session_id int primary key references sessions(id) on delete cascade, plan jsonb not null);
create table step_results (session_id int references sessions(id) on delete cascade, step_id int, trace text,
  output text, evaluation jsonb, attempts int, metadata jsonb, primary key (session_id, step_id));
create table step_attempts (session_id int references sessions(id) on delete cascade, step_id int, attempt int,
  evaluation jsonb, primary key (session_id, step_id, attempt));
create table guidance_notes (session_id int references sessions(id) on delete cascade, step_id int, sequence int,
  note text not null, primary key (session_id, step_id, sequence));
create table trajectory_events (id serial primary key, session_id int references sessions(id) on delete cascade,
  event jsonb not null, created_at timestamptz not null default now());
create table learning_registry (learning_key text primary key, student_learning text, teacher_learning text,
  metadata jsonb, updated_at timestamptz not null default now());`;

const deferred = { score: 0, rationale: "deferred", judges: [], raw: { skipped: true, reason: "deferred" } };
const valid = { validation: { valid: true, guidance: null }, reward: deferred };
const invalid = {
  validation: { valid: false, guidance: "Name the parameter.", text: "It is unsafe." },
  reward: { ...deferred, rationale: "validation_failed" },
};
const sample = (score: number, uncertainty: number) => ({
  score,
  rationale: `about ${score}`,
  principles: [],
  uncertainty,
  temperature: null,
});
const reward = {
  score: 0.8,
  rationale: null,
  judges: [
    {
      identifier: "session_reward",
      score: 0.8,
      rationale: "right, after a hint",
      principles: [{ name: "correctness", weight: 1 }],
      samples: [sample(0.7, 0.2), sample(0.9, 0.1)],
      escalated: false,
      escalation_reason: null,
    },
  ],
  raw: {},
};
/** As text: its number is one that JavaScript cannot hold. */
const event = (name: string, seconds: number): string =>
  `{"parent_id":"root","payload":{"event_type":"TASK_START","event_timestamp":${seconds},"name":"${name}",` +
  `"data":{"input":{"big":12345678901234567}}}}`;

/** Makes the tables of the Python SDK and puts sessions into them: of every kind that there may be. */
export async function fillOldDatabase(db: Database): Promise<void> {
  await db.query("drop schema if exists public cascade");
  await db.query("create schema public");
  for (const statement of TABLES.split(";\n")) await db.query(statement);
  const insert = (table: string, row: Record<string, unknown>): Promise<unknown> => {
    const values = Object.values(row).map((value) =>
      typeof value === "object" && value !== null ? JSON.stringify(value) : value,
    );
    const places = values.map((_, index) => `$${index + 1}`);
    return db.query(`insert into ${table} (${Object.keys(row)}) values (${places})`, values);
  };
  await insert("sessions", {
    id: 7,
    task: "Review the login",
    status: "succeeded",
    metadata: {
      learning_key: "security",
      execution_mode: "coach",
      adaptive_summary: {
        adaptive_mode: "coach",
        confidence: 0.4,
        probe: { mode: "coach", confidence: 0.4 },
      },
      tags: ["nightly"],
      token_usage: { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100, calls: 4 },
      triage_dossier: { task: "Review the login", summary: "auth", risks: [] },
      reward_stats: { score: 0.8 },
      caller: { ticket: "A-1", exact: 1.25 },
    },
    final_answer: "SQL injection through `name`.",
    reward,
    reward_stats: { score: 0.8, score_mean: 0.8, sample_count: 2 },
    reward_audit: [{ stage: "tier1", model: "small", response: "{}" }],
    student_learning: "Look at string building.",
    review_status: "approved",
    review_notes: "good one",
    created_at: "2026-01-02T03:04:05.123456+00:00",
    completed_at: "2026-01-02T03:04:25.123456+00:00",
  });
  const plan = {
    steps: [
      { id: 1, description: "Read the code", depends_on: [], tool: null, tool_params: null },
      {
        id: 2,
        description: "Say what is wrong",
        depends_on: ["#1"],
        tool: "search",
        tool_params: { q: "login" },
      },
    ],
    execution_mode: "stepwise",
  };
  await insert("plans", { session_id: 7, plan });
  await insert("step_results", {
    session_id: 7,
    step_id: 1,
    trace: "looked",
    output: "read it",
    evaluation: valid,
    attempts: 1,
    metadata: { status: "ok", deliverable: { lines: 40 }, artifacts: {} },
  });
  await insert("step_results", {
    session_id: 7,
    step_id: 2,
    trace: "thought",
    output: "SQL injection through `name`.",
    evaluation: valid,
    attempts: 2,
    metadata: { status: "ok" },
  });
  await insert("step_attempts", { session_id: 7, step_id: 2, attempt: 1, evaluation: invalid });
  await insert("step_attempts", { session_id: 7, step_id: 2, attempt: 2, evaluation: valid });
  await insert("guidance_notes", { session_id: 7, step_id: 2, sequence: 1, note: "Name the parameter." });
  await insert("trajectory_events", { session_id: 7, event: event("step_1", 1767323046.5) });
  await insert("trajectory_events", { session_id: 7, event: event("step_2", 1767323050.25) });

  await insert("sessions", {
    id: 3,
    task: "Summarise",
    status: "failed",
    metadata: { learning_key: "security" },
    final_answer: "",
    review_status: "quarantined",
    created_at: "2026-01-01T00:00:00+00:00",
    completed_at: "2026-01-01T00:00:09+00:00",
  });
  // Every call of its judge failed, which was stored as the score 0.
  await insert("sessions", {
    id: 8,
    task: "Nobody judged this",
    status: "succeeded",
    metadata: {},
    final_answer: "done",
    reward: { ...reward, score: 0, judges: [{ ...reward.judges[0], score: 0, samples: [sample(0, 1)] }] },
    reward_audit: [{ stage: "tier1", error: "timeout" }],
    created_at: "2026-01-03T00:00:00+00:00",
    completed_at: "2026-01-03T00:00:09+00:00",
  });
  await insert("sessions", { id: 9, task: "Still at work", metadata: {} });
  await insert("learning_registry", {
    learning_key: "security",
    student_learning: "Check every query.",
    teacher_learning: null,
    metadata: {},
    updated_at: "2026-01-02T03:04:26+00:00",
  });
}
