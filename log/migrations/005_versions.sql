-- Each version of a processor is a group of its own, named name@version. In each partition one of them answers. What the
-- others emit is kept here until they are promoted, or retired.
alter table atlas_log.assignments add column shadow boolean;

-- Whether the results of a processor come from another database on the same log: then no version of it answers here until one
-- is promoted. A new processor follows the others.
create table atlas_log.processors (
  name text primary key,
  elsewhere boolean not null
);

create table atlas_log.shadow (
  group_id text not null,
  partition int not null,
  number bigint generated always as identity,
  -- The fact that it comes from.
  cause_topic text not null,
  cause_offset bigint not null,
  fingerprint text not null,
  body bytea not null,
  primary key (group_id, partition, number)
);

-- What the log says of a processor's results, while one of its versions is promoted: each promotion notes it for itself.
create unlogged table atlas_log.answers (
  promotion uuid not null,
  cause uuid not null,
  type text not null,
  revision int not null,
  digests text[] not null,
  noted_at timestamptz not null default now(),
  primary key (promotion, cause, type)
);

-- The groups of the first versions.
do $$
declare
  renamed record;
  place text;
begin
  for renamed in select * from (values ('session-rewards', 2), ('drift', 2), ('review', 1)) as v (name, version) loop
    foreach place in array array['assignments', 'checkpoints', 'sequences', 'state', 'outbox', 'group_starts'] loop
      execute format('update atlas_log.%I set group_id = $1 where group_id = $2', place)
        using renamed.name || '@' || renamed.version, renamed.name;
    end loop;
  end loop;
end $$;
update atlas_log.assignments set shadow = false where group_id like '%@%';
insert into atlas_log.processors (name, elsewhere)
select distinct split_part(group_id, '@', 1), false from atlas_log.assignments where group_id like '%@%';
