import type { Queryable } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Apply, LogRecord } from "../../log/event-log.ts";
import { isErased, loadFacts } from "../../projections/session-facts.ts";
import { WHATEVER } from "../../projections/session-filters.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import { tablesIn } from "../../projections/tables.ts";
import type { ReviewStatusChanged, SessionErased, Uuid } from "../../schemas/generated/events.ts";
import { isoOf, newId } from "../../schemas/identity.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { LineSeries, type SeriesPlace } from "./line-series.ts";
import { loadLive, type Standing, saveLive } from "./live-state.ts";

/** The group under which the live sink reads the log. */
export const LIVE_JSONL = "jsonl-sink";
/** What it reads. */
export const LIVE_TOPICS: readonly Topic[] = ["atlas.review-status", "atlas.decisions"];

/** Where the files go. */
export interface LiveSinkOptions {
  folder: string;
  /** A file is followed by the next one before it would be larger than this; 64 MiB unless told. */
  rotateBytes?: number | undefined;
  /** Writes simulated sessions, too; they are left out unless told. */
  includeSimulated?: boolean | undefined;
  /** Called with how many approved sessions of a batch were left out for being simulated. */
  onLeftOut?: ((simulated: number) => void) | undefined;
}

type Change = ReviewStatusChanged | SessionErased;

/** What became of each session of a batch last, in the order of the batch. */
function changesOf(batch: readonly LogRecord[]): Map<Uuid, Change> {
  const changes = new Map<Uuid, Change>();
  for (const { event } of batch) {
    if (event.type !== "ReviewStatusChanged" && event.type !== "SessionErased") continue;
    const session = event.meta.session_id;
    if (session == null || event.meta.derivation?.branch != null) continue;
    if (changes.get(session)?.type === "SessionErased") continue;
    changes.set(session, event);
  }
  return changes;
}

const isApproval = (change: Change): boolean =>
  change.type === "ReviewStatusChanged" && change.to_status === "approved";

/**
 * The line of each session, once the read models know that it was approved; none of one that was erased since.
 *
 * @param isLeftOut says of which sessions no line is wanted
 */
async function linesOf(
  tx: Queryable,
  approved: ReadonlyMap<Uuid, Change>,
  isLeftOut: (trace: SessionTrace) => boolean,
): Promise<Map<Uuid, string>> {
  const sessionIds = [...approved.keys()];
  const facts = await loadFacts(tx, tablesIn(), sessionIds);
  const wanted = sessionIds.filter((session) => !isErased(facts.get(session)!.facts));
  const lines = new Map<Uuid, string>();
  const leftOut = new Set<Uuid>();
  if (wanted.length === 0) return lines;
  const filters = { sessionIds: wanted, ...WHATEVER, limit: null } as const;
  for await (const trace of streamTraces(tx, filters)) {
    const known = trace.review_changes.some(
      ({ meta }) => meta.event_id === approved.get(trace.session_id)!.meta.event_id,
    );
    if (known && isLeftOut(trace)) leftOut.add(trace.session_id);
    else if (known) lines.set(trace.session_id, `${encodeTrainingLine(trace)}\n`);
  }
  const late = wanted.find((session) => !lines.has(session) && !leftOut.has(session));
  if (late === undefined) return lines;
  throw new AtlasError("ATLAS_CONSUMER_BEHIND", "the read models do not know yet what was approved", {
    where: `session ${late}`,
    retryable: true,
  });
}

const tombstone = (change: Change): string => {
  const status = change.type === "SessionErased" ? "erased" : change.to_status;
  const { session_id, occurred_at } = change.meta;
  return `${JSON.stringify({ session_id, status, at: isoOf(occurred_at) })}\n`;
};

/** A consumer that writes approved sessions to files as they are approved. */
export interface LiveSink {
  group: string;
  topics: readonly Topic[];
  apply: Apply;
  /** Forgets what it holds of an assignment. */
  forget(partition: number): void;
  close(): Promise<void>;
}

/**
 * Writes each session that is not simulated within moments of its approval to files that a trainer can follow: one series
 * of files for each assignment. A line is whole and synced before the checkpoint that covers it commits; what a crash leaves behind the
 * last confirmed line is cut. A session stands there once. What is quarantined or erased later goes to a second series,
 * of tombstones, and so does its next approval.
 *
 * @example
 * const sink = createLiveSink({ folder: "data/live" });
 * await log.consume({ group: sink.group, topics: sink.topics, onAssignmentChange: sink.forget }, sink.apply);
 */
export function createLiveSink(options: LiveSinkOptions): LiveSink {
  const { folder, rotateBytes = 64 * 1024 * 1024, includeSimulated = false, onLeftOut } = options;
  const owner = newId();
  const series = new Map<number, { lines: LineSeries; tombstones: LineSeries }>();
  const seriesOf = (partition: number) => {
    const known = series.get(partition);
    if (known !== undefined) return known;
    const opened = {
      lines: new LineSeries(folder, `approved-${partition}`, rotateBytes),
      tombstones: new LineSeries(folder, `tombstones-${partition}`, rotateBytes),
    };
    series.set(partition, opened);
    return opened;
  };

  return {
    group: LIVE_JSONL,
    topics: LIVE_TOPICS,
    async apply(batch, { tx, partition }) {
      const changes = changesOf(batch);
      if (changes.size === 0) return;
      const { state, standing } = await loadLive(tx, LIVE_JSONL, partition, [...changes.keys()]);
      const isNew = ([session, change]: readonly [Uuid, Change]): boolean =>
        isApproval(change) && !standing.has(session);
      const approved = new Map([...changes].filter(isNew));
      let simulated = 0;
      const lines = await linesOf(tx, approved, (trace) => {
        if (includeSimulated || !trace.simulated) return false;
        simulated += 1;
        return true;
      });
      if (simulated > 0) onLeftOut?.(simulated);

      const now = new Map<Uuid, Standing>();
      let withdrawals = "";
      for (const [session, change] of changes) {
        if (approved.has(session)) {
          if (lines.has(session)) now.set(session, "written");
        } else if (standing.has(session)) {
          const next = isApproval(change) ? "written" : "withdrawn";
          if (next === standing.get(session) && change.type !== "SessionErased") continue;
          withdrawals += tombstone(change);
          now.set(session, next);
        }
      }
      if (now.size === 0) return;
      const files = seriesOf(partition);
      const places = state.owner === owner ? state : await takenOver(files, state);
      const added = [...lines.values()].join("");
      await saveLive(
        tx,
        LIVE_JSONL,
        partition,
        {
          owner,
          lines: added === "" ? places.lines : await files.lines.write(places.lines, added),
          tombstones:
            withdrawals === ""
              ? places.tombstones
              : await files.tombstones.write(places.tombstones, withdrawals),
        },
        now,
      );
    },
    forget(partition) {
      const files = series.get(partition);
      series.delete(partition);
      void files?.lines.close().catch(() => undefined);
      void files?.tombstones.close().catch(() => undefined);
    },
    async close() {
      for (const { lines, tombstones } of series.values()) {
        await lines.close();
        await tombstones.close();
      }
      series.clear();
    },
  };
}

async function takenOver(
  files: { lines: LineSeries; tombstones: LineSeries },
  state: { lines: SeriesPlace; tombstones: SeriesPlace },
): Promise<{ lines: SeriesPlace; tombstones: SeriesPlace }> {
  return {
    lines: await files.lines.takeOver(state.lines),
    tombstones: await files.tombstones.takeOver(state.tombstones),
  };
}
