-- The log on Postgres, and what consumers of any log keep beside their read models.

-- What this log is. One row.
create table atlas_log.log (
  only_row boolean primary key default true check (only_row),
  id uuid not null,
  partitions int not null check (partitions > 0),
  created_at timestamptz not null default now()
);

-- Names this database: consumers of one Kafka log that keep their checkpoints in different databases are different groups.
create table atlas_log.database (
  only_row boolean primary key default true check (only_row),
  id uuid not null default gen_random_uuid()
);
insert into atlas_log.database default values;

-- The next offset of each partition. Appending locks the row, so offsets become visible in order.
create table atlas_log.partitions (
  topic text not null,
  partition int not null,
  next_offset bigint not null default 0,
  last_appended_at bigint not null default 0,
  primary key (topic, partition)
) with (fillfactor = 50);

create table atlas_log.events (
  topic text not null,
  partition int not null,
  "offset" bigint not null,
  key text not null,
  fingerprint text not null,
  body bytea not null,
  appended_at bigint not null,
  primary key (topic, partition, "offset")
) partition by list (topic);
create table atlas_log.events_sessions partition of atlas_log.events for values in ('atlas.sessions');
create table atlas_log.events_decisions partition of atlas_log.events for values in ('atlas.decisions');
create table atlas_log.events_learning partition of atlas_log.events for values in ('atlas.learning');
create table atlas_log.events_rewards partition of atlas_log.events for values in ('atlas.rewards');
create table atlas_log.events_drift partition of atlas_log.events for values in ('atlas.drift');
create table atlas_log.events_review_status partition of atlas_log.events for values in ('atlas.review-status');
create table atlas_log.events_conclusions partition of atlas_log.events for values in ('atlas.conclusions');
create table atlas_log.events_lessons partition of atlas_log.events for values in ('atlas.lessons');
create table atlas_log.events_branches partition of atlas_log.events for values in ('atlas.branches');
create table atlas_log.events_dead_letters partition of atlas_log.events for values in ('atlas.dead-letters');

-- Appends in one statement: per partition it locks the row, takes offsets and inserts.
create function atlas_log.append(topics text[], parts int[], keys text[], fingerprints text[], bodies bytea[])
returns void language plpgsql as $$
declare
  place record;
  first_offset bigint;
  appended bigint;
begin
  for place in
    select t.topic, t.part, count(*) as n from unnest(topics, parts) as t(topic, part) group by 1, 2 order by 1, 2
  loop
    update atlas_log.partitions p
       set next_offset = p.next_offset + place.n,
           last_appended_at = greatest(p.last_appended_at, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
     where p.topic = place.topic and p.partition = place.part
    returning p.next_offset - place.n, p.last_appended_at into first_offset, appended;
    if first_offset is null then
      raise exception 'the log has no partition % of %', place.part, place.topic;
    end if;
    insert into atlas_log.events (topic, partition, "offset", key, fingerprint, body, appended_at)
    select place.topic, place.part, first_offset + row_number() over (order by r.ordinal) - 1,
           r.key, r.fingerprint, r.body, appended
      from unnest(topics, parts, keys, fingerprints, bodies)
           with ordinality as r(topic, part, key, fingerprint, body, ordinal)
     where r.topic = place.topic and r.part = place.part;
  end loop;
end $$;

-- Members that are alive, by group; leases are shared out among them.
create table atlas_log.members (
  group_id text not null,
  member text not null,
  seen_at timestamptz not null default now(),
  primary key (group_id, member)
);

-- Who works on partition p of a group's inputs. The epoch fences owners that were taken over.
create table atlas_log.assignments (
  group_id text not null,
  partition int not null,
  log_id text not null,
  epoch bigint not null default 0,
  member text,
  lease_until timestamptz,
  primary key (group_id, partition)
) with (fillfactor = 50);

-- The next offset to apply, and the digest of the record before it.
create table atlas_log.checkpoints (
  group_id text not null,
  topic text not null,
  partition int not null,
  next_offset bigint not null,
  digest text,
  primary key (group_id, topic, partition)
) with (fillfactor = 50);

-- The last sequence seen of each source: what is not greater is a repetition.
create table atlas_log.sequences (
  group_id text not null,
  topic text not null,
  partition int not null,
  source text not null,
  sequence bigint not null,
  primary key (group_id, topic, partition, source)
) with (fillfactor = 70);

-- A processor's state by key, as JSON text.
create table atlas_log.state (
  group_id text not null,
  partition int not null,
  key text not null,
  version int not null,
  emitted bigint not null,
  state text,
  primary key (group_id, partition, key)
) with (fillfactor = 70);

-- What a unit emitted, until the log has acknowledged it. Unused where log and consumer share a database.
create table atlas_log.outbox (
  group_id text not null,
  partition int not null,
  number bigint not null,
  topic text not null,
  target_partition int not null,
  key text not null,
  fingerprint text not null,
  body bytea not null,
  primary key (group_id, partition, number)
);

-- Where a group began to read. What was in the log before is history to it, not news.
create table atlas_log.group_starts (
  group_id text not null,
  topic text not null,
  partition int not null,
  first_offset bigint not null,
  primary key (group_id, topic, partition)
);

-- Integers are for readers that cannot do without them; a session keeps its own, whatever is rebuilt.
create table atlas_log.session_ids (
  session_uuid uuid primary key,
  id int not null unique
);
create sequence atlas_log.session_id_sequence as int owned by atlas_log.session_ids.id;

-- Records that a consumer could not apply. Of one that was applied after all, only that stays.
create table atlas_log.dead_letters (
  event_id uuid primary key,
  session_uuid uuid,
  group_id text not null,
  topic text not null,
  partition int not null,
  "offset" bigint not null,
  error_code text not null,
  error text not null,
  fingerprint text not null,
  body bytea not null,
  occurred_at timestamptz not null,
  retried_at timestamptz,
  unique (group_id, topic, partition, "offset")
);

-- Rebuilds under way. One that was not seen for a while was killed, and the next one clears up behind it.
create table atlas_log.rebuilds (
  id serial primary key,
  member text not null,
  seen_at timestamptz not null default now()
);

-- Work that waits for whoever takes it. Not a read model: a rebuild leaves it alone. An item is anybody's from due_at
-- on; whoever takes it moves that ahead, and proves with the lease that it is still the one who holds it. An item
-- without due_at is parked.
create table atlas_log.queue (
  queue text not null,
  lane text not null default '',
  id text not null,
  number bigint generated always as identity,
  session_id uuid,
  payload text not null,
  status text not null default 'waiting' check (status in ('waiting', 'done', 'failed')),
  tries int not null default 0,
  due_at timestamptz,
  lease uuid,
  holder text,
  result text,
  last_error text,
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  primary key (queue, id)
) with (fillfactor = 80);
create index queue_due on atlas_log.queue (queue, lane, due_at, number) where status = 'waiting';
create index queue_sessions on atlas_log.queue (session_id);
