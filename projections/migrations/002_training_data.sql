-- What readers filter and sort by, and the last of the values that they stumble over.

alter table :schema.sessions add column step_count int not null default 0;
update :schema.sessions s
   set step_count = (select count(*) from :schema.step_results r where r.session_id = s.id);

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

alter table :schema.sessions
  alter column metadata set not null,
  add constraint sessions_status_check
    check (status in ('running', 'succeeded', 'failed', 'cancelled', 'abandoned')),
  add constraint sessions_judges_check check (
    reward is null
    or not jsonb_path_exists(reward, 'strict $.judges[*] ? ((@.score.type() == "number") is unknown || @.score.type() != "number")', '{}', true)
    and not jsonb_path_exists(reward, 'strict $.judges[*] ? ((@.samples.type() == "array") is unknown || @.samples.type() != "array")', '{}', true)
    and not jsonb_path_exists(reward, 'strict $.judges[*] ? (exists (@.samples[*] ? (@.type() != "object")))', '{}', true)
  ),
  add constraint sessions_audit_check check (
    reward_audit is null or not jsonb_path_exists(reward_audit, 'strict $[*] ? (@.type() != "object")', '{}', true)
  ),
  add constraint sessions_review_metadata_check check (
    coalesce(jsonb_typeof(metadata -> 'drift'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'adaptive_summary'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'triage_dossier'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'reward_summary'), 'object') = 'object'
    and coalesce(jsonb_typeof(metadata -> 'teacher_notes'), 'array') = 'array'
  );

alter table :schema.plans
  add constraint plans_steps_check check (
    not jsonb_path_exists(plan, 'strict $.steps[*] ? ((@.id.type() == "number") is unknown || @.id.type() != "number")', '{}', true)
  );

-- A score belongs into the reward: readers take one at the top for none.
alter table :schema.step_results
  add constraint step_results_reward_check check (
    not evaluation ? 'score'
    and (
      not evaluation ? 'reward'
      or coalesce(jsonb_typeof(evaluation -> 'reward' -> 'score'), '') = 'number'
      and coalesce(jsonb_typeof(evaluation -> 'reward' -> 'judges'), '') = 'array'
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? (@.type() != "object")', '{}', true)
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? ((@.score.type() == "number") is unknown || @.score.type() != "number")', '{}', true)
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? ((@.samples.type() == "array") is unknown || @.samples.type() != "array")', '{}', true)
      and not jsonb_path_exists(evaluation, 'strict $.reward.judges[*] ? (exists (@.samples[*] ? (@.type() != "object")))', '{}', true)
    )
  );

alter table :schema.step_attempts
  add constraint step_attempts_validation_check check (
    coalesce(jsonb_typeof(evaluation -> 'validation'), 'null') in ('null', 'object') and not evaluation ? 'score'
  );

alter table :schema.trajectory_events
  add constraint trajectory_events_payload_check check (
    coalesce(jsonb_typeof(event -> 'payload'), '') = 'object'
    and coalesce(jsonb_typeof(event -> 'payload' -> 'event_type'), '') = 'string'
  );
