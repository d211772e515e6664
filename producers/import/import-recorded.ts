import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { Mask } from "../../log/outgoing.ts";
import type { AtlasEvent, Micros, Uuid } from "../../schemas/generated/events.ts";
import { checkReadable, type ParsedRow, parseRecorded, type RecordedProblem } from "./parse-recorded.ts";
import { isLearningKey } from "./recorded-row.ts";
import { sessionEvents } from "./recorded-session.ts";

/** What to import, and how. */
export interface ImportOptions {
  /** Files of JSON lines or one JSON array. */
  files: readonly string[];
  log: Pick<EventLog, "append">;
  /** Learning key of every session; the recorded or a derived one unless told. */
  learningKey?: string | undefined;
  /** When conversations without recorded times happened; their file's time unless told. */
  at?: Date | undefined;
  /** Hash of the rules that the sessions are rewarded by. */
  rulesHash: string;
  /** Masks events before long contents are cut. */
  mask?: Mask | undefined;
  /**
   * The last sequence that the log holds of each of these sources; a source that it lacks is left out. It has to
   * count everything appended before the import began.
   */
  knownSequences?: ((sources: string[]) => Promise<ReadonlyMap<string, number>>) | undefined;
  /** Called after every batch with what was done so far. */
  onProgress?: ((progress: Readonly<ImportSummary>) => void) | undefined;
  /** Stops between two batches; what was appended stays, and a second import goes on from there. */
  signal?: AbortSignal | undefined;
}

/** What an import did. */
export interface ImportSummary {
  /** Sessions of which something was appended. */
  sessions: number;
  /** Events that were appended. */
  events: number;
  /** Sessions that the log, or an earlier row, held already. */
  skippedSessions: number;
  skippedEvents: number;
  /** How many rows were malformed; {@link problems} names the first thousand. */
  malformed: number;
  problems: RecordedProblem[];
  /** What a reader should know, though everything was imported. */
  warnings: RecordedProblem[];
}

/** A batch is appended when it holds this many events or characters, whichever comes first. */
const BATCH_EVENTS = 2000;
const BATCH_LENGTH = 8 * 1024 * 1024;
const MAX_NAMED = 1000;

interface Batch {
  sessions: AtlasEvent[][];
  events: number;
  length: number;
}

const emptyBatch = (): Batch => ({ sessions: [], events: 0, length: 0 });

/**
 * Imports recorded conversations as the sessions they were. Importing the same rows again appends nothing, also when
 * the first import was killed half-way.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE, before anything was appended unless a file fails while it is read;
 *   ATLAS_USAGE; what the log's append throws; the signal's reason when it aborts
 * @example
 * const { sessions, problems } = await importRecorded({ files: ["runs.jsonl"], log, rulesHash });
 */
export async function importRecorded(options: ImportOptions): Promise<ImportSummary> {
  const { files, log, signal } = options;
  if (options.learningKey !== undefined && !isLearningKey(options.learningKey)) {
    throw new AtlasError("ATLAS_USAGE", "the learning key is empty, too long or holds control characters", {
      hint: "Give a name of 1 to 512 characters.",
    });
  }
  const summary: ImportSummary = {
    sessions: 0,
    events: 0,
    skippedSessions: 0,
    skippedEvents: 0,
    malformed: 0,
    problems: [],
    warnings: [],
  };
  const seen = new Set<Uuid>();
  const sessionOfId = new Map<string, Uuid>();
  let messages = 0;
  let batch = emptyBatch();

  const flush = async (): Promise<void> => {
    signal?.throwIfAborted();
    const { sessions } = batch;
    batch = emptyBatch();
    const sources = sessions.map((events) => events[0]!.meta.source);
    const known = sessions.length === 0 ? undefined : await options.knownSequences?.(sources);
    const news = sessions.map((events) => {
      const after = known?.get(events[0]!.meta.source) ?? 0;
      return events.filter(({ meta }) => meta.sequence > after);
    });
    await log.append(news.flat());
    sessions.forEach((events, index) => {
      const added = news[index]!.length;
      summary.events += added;
      summary.skippedEvents += events.length - added;
      if (added === 0) summary.skippedSessions += 1;
      else summary.sessions += 1;
    });
    options.onProgress?.(summary);
  };

  const add = async ({ file, line, row, fileTime }: ParsedRow): Promise<void> => {
    // One count over all rows: sessions without recorded times stay in the order in which they were written.
    const assumedStart = assumedTime(options.at, fileTime) + messages;
    messages += row.messages.length;
    const { learningKey, rulesHash, mask } = options;
    const events = sessionEvents(row, { learningKey, rulesHash, mask, assumedStart });
    const sessionId = events[0]!.meta.source;
    if (row.id !== undefined) {
      const earlier = sessionOfId.get(row.id);
      if (earlier !== undefined && earlier !== sessionId && summary.warnings.length < MAX_NAMED) {
        const reason = `another conversation has the id ${JSON.stringify(row.id)} too; both were imported`;
        summary.warnings.push({ file, line, reason });
      }
      sessionOfId.set(row.id, sessionId);
    }
    if (seen.has(sessionId)) {
      summary.skippedSessions += 1;
      summary.skippedEvents += events.length;
      return;
    }
    seen.add(sessionId);
    batch.sessions.push(events);
    batch.events += events.length;
    batch.length += row.messages.reduce((sum, { raw }) => sum + raw.length, 0);
    if (batch.events >= BATCH_EVENTS || batch.length >= BATCH_LENGTH) await flush();
  };

  await checkReadable(files);
  for (const file of files) {
    for await (const found of parseRecorded(file)) {
      if ("row" in found) {
        await add(found);
      } else {
        summary.malformed += 1;
        if (summary.problems.length < MAX_NAMED) summary.problems.push(found);
      }
    }
  }
  await flush();
  return summary;
}

function assumedTime(at: Date | undefined, fileTime: Micros): Micros {
  if (at === undefined) return fileTime;
  if (Number.isNaN(at.getTime()) || at.getTime() < 0) {
    throw new AtlasError("ATLAS_USAGE", "the time of an import is no time since 1970");
  }
  return at.getTime() * 1000;
}
