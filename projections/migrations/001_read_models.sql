-- What readers of sessions see: everything here is computed from the log and can be computed again.
-- The first eight tables have the names and columns that the Python SDK's readers and Atlas Core's loaders know;
-- the checks refuse the values that they stumble over.

create table :schema.sessions (
  id int primary key,
  task text not null,
  status text not null default 'running' check (status in ('running', 'succeeded', 'failed', 'cancelled', 'abandoned')),
  metadata jsonb not null check (
    jsonb_typeof(metadata) = 'object'
    and coalesce(jsonb_typeof(metadata -> 'drift'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'adaptive_summary'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'triage_dossier'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'reward_summary'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'teacher_notes'), 'array') = 'array'
  ),
  final_answer text,
  reward jsonb check (
    reward is null or jsonb_typeof(reward) = 'object'
    and coalesce(jsonb_typeof(reward -> 'score'), '') = 'number'
    and coalesce(jsonb_typeof(reward -> 'judges'), '') = 'array'
    and jsonb_path_exists(reward, 'strict $.judges[*] ? (@.type() != "object")', '{}', true) is not true
    and not jsonb_path_exists(reward, 'strict $.judges[*] ? ((@.score.type() == "number") is unknown || @.score.type() != "number")', '{}', true)
    and not jsonb_path_exists(reward, 'strict $.judges[*] ? ((@.samples.type() == "array") is unknown || @.samples.type() != "array")', '{}', true)
    and not jsonb_path_exists(reward, 'strict $.judges[*] ? (exists (@.samples[*] ? (@.type() != "object")))', '{}', true)
  ),
  reward_stats jsonb check (
    reward_stats is null or jsonb_typeof(reward_stats) = 'object' and coalesce(jsonb_typeof(reward_stats -> 'score'), '') = 'number'
  ),
  reward_audit jsonb check (
    reward_audit is null
    or jsonb_typeof(reward_audit) = 'array'
    and not jsonb_path_exists(reward_audit, 'strict $[*] ? (@.type() != "object")', '{}', true)
  ),
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
  step_count int not null default 0,
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
    and not jsonb_path_exists(plan, 'strict $.steps[*] ? ((@.id.type() == "number") is unknown || @.id.type() != "number")', '{}', true)
  )
);

-- A score belongs into the reward: readers take one at the top for none.
create table :schema.step_results (
  session_id int not null references :schema.sessions (id) on delete cascade,
  step_id int not null,
  trace text not null,
  output text not null,
  evaluation jsonb not null check (
    jsonb_typeof(evaluation) = 'object'
    and not evaluation ? 'score'
    and coalesce(jsonb_typeof(evaluation -> 'validation'), 'object') = 'object'
    and (
      not evaluation ? 'reward'
      or jsonb_typeof(evaluation -> 'reward') = 'object'
      and coalesce(jsonb_typeof(evaluation -> 'reward' -> 'score'), '') = 'number'
      and coalesce(jsonb_typeof(evaluation -> 'reward' -> 'judges'), '') = 'array'
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? (@.type() != "object")', '{}', true)
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? ((@.score.type() == "number") is unknown || @.score.type() != "number")', '{}', true)
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? ((@.samples.type() == "array") is unknown || @.samples.type() != "array")', '{}', true)
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? (exists (@.samples[*] ? (@.type() != "object")))', '{}', true)
    )
  ),
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  attempts int not null,
  primary key (session_id, step_id)
) with (fillfactor = 80);

create table :schema.step_attempts (
  session_id int not null references :schema.sessions (id) on delete cascade,
  step_id int not null,
  attempt int not null,
  evaluation jsonb not null check (
    jsonb_typeof(evaluation) = 'object'
    and coalesce(jsonb_typeof(evaluation -> 'validation'), 'null') in ('null', 'object')
    and not evaluation ? 'score'
  ),
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
  event jsonb not null check (
    jsonb_typeof(event) = 'object'
    and coalesce(jsonb_typeof(event -> 'payload'), '') = 'object'
    and coalesce(jsonb_typeof(event -> 'payload' -> 'event_type'), '') = 'string'
  ),
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

-- What is rare is found in the order in which it is read, newest first.
create index sessions_review_status_idx on :schema.sessions (review_status, created_at desc, session_uuid);
create index sessions_status_idx on :schema.sessions (status, created_at desc, session_uuid);
create index sessions_key_idx on :schema.sessions (learning_key, created_at desc, session_uuid);
create index sessions_agent_idx on :schema.sessions (agent, created_at desc, session_uuid);
create index sessions_lane_idx on :schema.sessions (lane, created_at desc, session_uuid);
create index sessions_drift_alert_idx on :schema.sessions (created_at desc, session_uuid)
  where (metadata ->> 'drift_alert') = 'true';

-- Names the tombstone of a session without reading what is kept beside the tables of others.
create index session_facts_erased_idx on :schema.session_facts (session_uuid) where type = 'SessionErased';
