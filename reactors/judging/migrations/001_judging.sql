-- Sessions that wait for their judges, until their judgements are in the log. Not a read model: a rebuild leaves it alone.

-- Whoever judges a session holds it until due_at; then it is anybody's again. The result is the whole set of events,
-- fixed before any of them reaches the log.
create table atlas_log.judging (
  session_id uuid primary key,
  learning_key text not null,
  ended boolean not null default false,
  tries int not null default 0,
  due_at timestamptz not null default now(),
  holder uuid,
  last_error text,
  result text
) with (fillfactor = 80);
create index judging_due on atlas_log.judging (due_at) where ended;
