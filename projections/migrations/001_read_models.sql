-- What readers of sessions see: everything here is computed from the log and can be computed again.
-- The first eight tables have the names and columns that the Python SDK's readers and Atlas Core's loaders know;
-- the checks refuse the values that they stumble over.

create table :schema.sessions (
  id int primary key,
  task text not null,
  status text not null default 'running',
  metadata jsonb check (jsonb_typeof(metadata) = 'object'),
  final_answer text,
  reward jsonb check (
    reward is null or jsonb_typeof(reward) = 'object'
    and coalesce(jsonb_typeof(reward -> 'score'), '') = 'number'
    and coalesce(jsonb_typeof(reward -> 'judges'), '') = 'array'
    and jsonb_path_exists(reward, 'strict $.judges[*] ? (@.type() != "object")', '{}', true) is not true
    and jsonb_path_exists(reward, 'strict $.judges[*].samples[*] ? (@.type() != "object")', '{}', true) is not true
  ),
  reward_stats jsonb check (
    reward_stats is null or jsonb_typeof(reward_stats) = 'object' and coalesce(jsonb_typeof(reward_stats -> 'score'), '') = 'number'
  ),
  reward_audit jsonb check (jsonb_typeof(reward_audit) = 'array'),
  student_learning text,
  teacher_learning text,
  review_status text not null default 'pending' check (review_status in ('pending', 'approved', 'quarantined')),
  review_notes text,
  created_at timestamptz not null,
  completed_at timestamptz,
  -- Ours from here on.
  session_uuid uuid not null unique,
  learning_key text not null,
  agent text not null,
  origin text not null,
  lane text,
  incomplete boolean not null,
  simulated boolean not null,
  tokens bigint,
  -- Events taken from the session's topic, and characters of those that are stored.
  event_count int not null,
  size bigint not null
) with (fillfactor = 80);

create table :schema.plans (
  session_id int primary key references :schema.sessions (id) on delete cascade,
  plan jsonb not null check (
    jsonb_typeof(plan) = 'object'
    and coalesce(jsonb_typeof(plan -> 'steps'), '') = 'array'
    and jsonb_path_exists(plan, 'strict $.steps[*] ? (@.type() != "object")', '{}', true) is not true
    and jsonb_path_exists(plan, 'strict $.steps[*].id ? (@.type() != "number")', '{}', true) is not true
  )
);

create table :schema.step_results (
  session_id int not null references :schema.sessions (id) on delete cascade,
  step_id int not null,
  trace text not null,
  output text not null,
  evaluation jsonb not null check (
    jsonb_typeof(evaluation) = 'object'
    and coalesce(jsonb_typeof(evaluation -> 'reward'), 'object') = 'object'
    and coalesce(jsonb_typeof(evaluation -> 'reward' -> 'score'), 'number') = 'number'
    and coalesce(jsonb_typeof(evaluation -> 'validation'), 'object') = 'object'
  ),
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  attempts int not null,
  primary key (session_id, step_id)
) with (fillfactor = 80);

create table :schema.step_attempts (
  session_id int not null references :schema.sessions (id) on delete cascade,
  step_id int not null,
  attempt int not null,
  evaluation jsonb not null check (jsonb_typeof(evaluation) = 'object'),
  primary key (session_id, step_id, attempt)
);

create table :schema.guidance_notes (
  session_id int not null references :schema.sessions (id) on delete cascade,
  step_id int not null,
  sequence int not null,
  note text not null,
  primary key (session_id, step_id, sequence)
);

-- Ids are computed: the session's id times two to the power of 21, plus the event's place. So they ascend within a
-- session, are the same in every rebuild, and serve as the second part of the one index that readers need.
create table :schema.trajectory_events (
  id bigint not null,
  session_id int not null references :schema.sessions (id) on delete cascade,
  event jsonb not null check (jsonb_typeof(event) = 'object'),
  created_at timestamptz not null,
  -- Name of the event in the log.
  type text not null,
  -- How many continuing events were joined into this one.
  joined int not null default 0,
  primary key (session_id, id)
);

create table :schema.discovery_runs (
  id serial primary key,
  project_root text not null,
  source text not null default 'discovery',
  task text,
  payload jsonb not null check (jsonb_typeof(payload) = 'object'),
  metadata jsonb check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now()
);

create table :schema.learning_registry (
  learning_key text primary key,
  student_learning text,
  teacher_learning text,
  metadata jsonb check (jsonb_typeof(metadata) = 'object'),
  updated_at timestamptz not null,
  -- Revisions of the playbooks above, by audience.
  student_revision int not null default 0,
  teacher_revision int not null default 0
);

-- What was said of sessions on other topics, and events of sessions whose start is not there (yet).
create table :schema.session_facts (
  session_uuid uuid not null,
  event_id uuid not null,
  type text not null,
  -- Raised when a rebuild publishes another result.
  revision int not null,
  -- Place among the session's own events; null for what other topics say.
  place int,
  -- JSON text.
  event text not null,
  primary key (session_uuid, event_id)
);

-- The names are the Python SDK's: its own `create index if not exists` finds them.
create index sessions_learning_key_idx on :schema.sessions ((metadata ->> 'learning_key'));
create index sessions_reward_score_idx on :schema.sessions (((reward_stats ->> 'score')::double precision))
  where reward_stats is not null;
create index sessions_created_at_idx on :schema.sessions (created_at desc);
create index sessions_metadata_gin_idx on :schema.sessions using gin (metadata);
create index trajectory_events_judgements_idx on :schema.trajectory_events (session_id, id)
  where type = 'JudgementMade';
