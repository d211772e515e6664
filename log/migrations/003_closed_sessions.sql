-- Of a session that is over, all groups together keep this one row. What it says is true of the log, whoever reads it:
-- up to which of its own sequences the session had come at the record that closed it, where that stands, whose it is
-- (0 the session's, 1 its judges', 2 the reaper's), and where its reward stands. Offsets of rewards fit an int as ids do.
alter table atlas_log.session_ids
  add column last_sequence int,
  add column closed_at bigint,
  add column rewarded_at int,
  add column closer smallint;
alter table atlas_log.session_ids set (fillfactor = 70);

-- A rewarded session is forgotten: nothing comes of it any more.
delete from atlas_log.state where group_id = 'session-rewards' and state is null;
