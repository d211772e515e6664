/**
 * What the Python SDK's client runs on connecting, in our words: tables and indexes where they are missing, and the
 * columns that its earlier releases lacked. On a database that our projections filled it must find all of it.
 */
export const READER_SCHEMA = `
create table if not exists sessions (
  id serial primary key, task text not null, status text not null default 'running', metadata jsonb, final_answer text,
  reward jsonb, reward_stats jsonb, reward_audit jsonb, student_learning text, teacher_learning text,
  review_status text not null default 'pending', review_notes text,
  created_at timestamptz not null default now(), completed_at timestamptz
);
alter table sessions add column if not exists review_status text not null default 'pending';
alter table sessions add column if not exists review_notes text;
alter table sessions add column if not exists reward_stats jsonb;
alter table sessions add column if not exists reward_audit jsonb;
create table if not exists plans (
  session_id int primary key references sessions (id) on delete cascade, plan jsonb not null
);
create table if not exists step_results (
  session_id int references sessions (id) on delete cascade, step_id int, trace text, output text,
  evaluation jsonb, attempts int, metadata jsonb, primary key (session_id, step_id)
);
create table if not exists step_attempts (
  session_id int references sessions (id) on delete cascade, step_id int, attempt int, evaluation jsonb,
  primary key (session_id, step_id, attempt)
);
create table if not exists guidance_notes (
  session_id int references sessions (id) on delete cascade, step_id int, sequence int, note text not null,
  primary key (session_id, step_id, sequence)
);
create table if not exists trajectory_events (
  id serial primary key, session_id int references sessions (id) on delete cascade, event jsonb not null,
  created_at timestamptz not null default now()
);
create table if not exists discovery_runs (
  id serial primary key, project_root text not null, source text not null default 'discovery', task text,
  payload jsonb not null, metadata jsonb, created_at timestamptz not null default now()
);
create table if not exists learning_registry (
  learning_key text primary key, student_learning text, teacher_learning text, metadata jsonb,
  updated_at timestamptz not null default now()
);
create index if not exists sessions_learning_key_idx on sessions ((metadata ->> 'learning_key'));
create index if not exists sessions_reward_score_idx on sessions (((reward_stats ->> 'score')::double precision))
  where reward_stats is not null;
create index if not exists sessions_created_at_idx on sessions (created_at desc);
create index if not exists sessions_metadata_gin_idx on sessions using gin (metadata);
`;
