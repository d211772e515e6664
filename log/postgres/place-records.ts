import type { Database } from "../../database/database.ts";
import type { RawRecord } from "../event-log.ts";
import { placeError } from "./place-error.ts";

/**
 * Puts records of one partition at their own offsets, with the times at which their first log took them.
 *
 * @param records in order, without gaps
 * @returns false, with nothing written, when the partition does not end before the first of them
 * @throws AtlasError ATLAS_DISK_FULL, ATLAS_LOG_UNREACHABLE, ATLAS_COPY_REFUSED for a key that Postgres cannot store
 */
export const placeRecords = (db: Database, records: readonly RawRecord[]): Promise<boolean> =>
  inTransaction(db, records).catch((error: unknown) => {
    throw placeError(error, db.address);
  });

const inTransaction = (db: Database, records: readonly RawRecord[]): Promise<boolean> =>
  db.transaction(async (tx) => {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return true;
    const { rows } = await tx.query(
      `update atlas_log.partitions
          set next_offset = $4::float8::bigint, last_appended_at = greatest(last_appended_at, $5::float8::bigint)
        where topic = $1 and partition = $2 and next_offset = $3::float8::bigint
       returning topic`,
      [first.topic, first.partition, first.offset, last.offset + 1, last.appendedAt],
    );
    if (rows.length === 0) return false;
    await tx.query(
      `insert into atlas_log.events (topic, partition, "offset", key, fingerprint, body, appended_at)
       select $1, $2, r."offset"::bigint, r.key, r.fingerprint, r.body, r.appended_at::bigint
         from unnest($3::float8[], $4::text[], $5::text[], $6::bytea[], $7::float8[])
              as r("offset", key, fingerprint, body, appended_at)`,
      [
        first.topic,
        first.partition,
        records.map(({ offset }) => offset),
        records.map(({ key }) => key),
        // A record that is not ours has no fingerprint.
        records.map(({ fingerprint }) => fingerprint ?? ""),
        records.map(({ body }) => body),
        records.map(({ appendedAt }) => appendedAt),
      ],
    );
    return true;
  });
