-- Events that users define: their topics, and every version of their schemas.

create table atlas_log.events_of_users partition of atlas_log.events default;

create table atlas_log.event_schemas (
  fingerprint text primary key,
  type text not null,
  version int not null,
  topic text not null,
  key text,
  schema text not null,
  unique (type, version)
);
