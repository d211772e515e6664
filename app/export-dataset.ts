import { packageInfo } from "../configs/package-info.ts";
import type { Database } from "../database/database.ts";
import { READ_MODELS } from "../derivation/stage-list.ts";
import type { EventLog } from "../log/event-log.ts";
import { appliedBy } from "../log/runner/positions.ts";
import { countTrainingSessions, streamTraces, type TraceFilters } from "../projections/training-data.ts";
import { type ExportSummary, exportSessions } from "../sinks/jsonl/export-sessions.ts";
import type { SessionTrace } from "../traces/session-trace.ts";

/** Which sessions to export, and where to. */
export interface ExportDatasetOptions {
  /** A file; a pipe or a device is written through, and gets no manifest. */
  output: string;
  /** Replaces a file that is no export of this package. */
  force?: boolean | undefined;
  /** With `sessionIds`, sessions come in the order of these, and `limit` and `offset` do not count. */
  filters?: TraceFilters;
  /** Keeps only so many of the newest events of each session; all unless told. */
  eventLimit?: number | undefined;
  /** Most sessions that one query reads. */
  batchSize?: number | undefined;
  onProgress?: (sessions: number) => void;
  /** Ends the export; no file is written then. */
  signal?: AbortSignal | undefined;
}

/** Up to where the read models have read the log: the next offset of every partition, by topic. */
async function positionsOf(db: Database, partitions: number): Promise<Record<string, number[]>> {
  const positions: Record<string, number[]> = {};
  for (const { topic, partition, nextOffset } of await appliedBy(db, READ_MODELS)) {
    positions[topic] ??= Array.from({ length: partitions }, () => 0);
    positions[topic][partition] = nextOffset;
  }
  return positions;
}

async function* tracesOf(
  db: Database,
  { sessionIds, limit, offset, ...filters }: TraceFilters,
  batchSize: number | undefined,
): AsyncGenerator<SessionTrace> {
  if (sessionIds === undefined) {
    yield* streamTraces(db, { ...filters, limit, offset }, { batchSize });
    return;
  }
  for (const id of new Set(sessionIds)) yield* streamTraces(db, { ...filters, sessionIds: [id] });
}

async function* until(
  traces: AsyncIterable<SessionTrace>,
  signal: AbortSignal | undefined,
): AsyncGenerator<SessionTrace> {
  for await (const trace of traces) {
    signal?.throwIfAborted();
    yield trace;
  }
}

async function* withNewest(
  traces: AsyncIterable<SessionTrace>,
  events: number,
): AsyncGenerator<SessionTrace> {
  for await (const trace of traces) yield { ...trace, events: trace.events.slice(-events) };
}

/**
 * Exports the sessions that the read models hold, approved ones that are not simulated unless asked otherwise, with a
 * manifest beside them, which says how many simulated ones were left out.
 *
 * @param source the log that the read models were filled from, and their database
 * @throws AtlasError ATLAS_NOTHING_TO_EXPORT, ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
 * @example
 * await atlas.settled();
 * const { file } = await exportDataset(atlas, { output: "traces.jsonl" });
 */
export async function exportDataset(
  source: { log: Pick<EventLog, "id" | "kind" | "partitions">; db: Database },
  { output, force, filters = {}, eventLimit, batchSize, onProgress, signal }: ExportDatasetOptions,
): Promise<ExportSummary> {
  const { id, kind } = source.log;
  const sessions = until(tracesOf(source.db, filters, batchSize), signal);
  const filtersAsText = JSON.parse(JSON.stringify(filters)) as Record<string, unknown>;
  const { limit: _limit, offset: _offset, simulated = false, ...wanted } = filters;
  return exportSessions({
    simulatedLeftOut:
      simulated === false ? await countTrainingSessions(source.db, { ...wanted, simulated: true }) : 0,
    sessions: eventLimit === undefined ? sessions : withNewest(sessions, eventLimit),
    output,
    force,
    origin: {
      log: { id, kind },
      positions: await positionsOf(source.db, source.log.partitions),
      filters: eventLimit === undefined ? filtersAsText : { ...filtersAsText, eventLimit },
      package: packageInfo(),
    },
    ...(onProgress !== undefined && { onProgress }),
  });
}
