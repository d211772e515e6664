-- What sinks have to tell people, until they were told. Not read models: a rebuild leaves it alone.

-- One alert on its way to one destination. The body is fixed when it is written; an attempt under way is not due
-- again before its time is up.
create table atlas_log.alert_deliveries (
  id text primary key,
  destination text not null,
  kind text not null,
  event_id uuid not null,
  session_id uuid,
  learning_key text not null,
  body text not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts int not null default 0,
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  last_error text
) with (fillfactor = 80);
create index alert_deliveries_open on atlas_log.alert_deliveries (status, destination, due_at)
 where status <> 'delivered';
