-- What is derived into branches has a topic of its own, in logs that exist already, too.
create table atlas_log.events_branches partition of atlas_log.events for values in ('atlas.branches');
insert into atlas_log.partitions (topic, partition)
select 'atlas.branches', p from atlas_log.log, generate_series(0, partitions - 1) as p on conflict do nothing;
