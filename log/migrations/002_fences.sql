-- Numbers of the outbox come from a counter that never restarts: what an owner deletes is what it has published.
alter table atlas_log.assignments add column emitted bigint not null default 0;
update atlas_log.assignments a
   set emitted = coalesce((select max(number) from atlas_log.outbox o
                            where o.group_id = a.group_id and o.partition = a.partition), 0);

-- A member is alive while its loop goes on and says so; what it owns has no lease of its own.
alter table atlas_log.assignments drop column lease_until;

-- A sign of life is worth nothing after a crash: it need not be on the disk, and waits for none.
alter table atlas_log.members set unlogged;
