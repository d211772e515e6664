import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { Micros, Uuid } from "../../schemas/generated/events.ts";
import { isLearningKey } from "../../schemas/learning-key.ts";
import { checkReadable, type ParsedRow, parseRecorded, type RecordedProblem } from "./parse-recorded.ts";
import { sessionEvents } from "./recorded-session.ts";
import { type AppendedSessions, type AppenderOptions, SessionAppender } from "./session-appender.ts";

/** What to import, and how. */
export interface ImportOptions {
  /** Files of JSON lines or one JSON array. */
  files: readonly string[];
  log: Pick<EventLog, "append" | "mask">;
  /** Learning key of every session; the recorded or a derived one unless told. */
  learningKey?: string | undefined;
  /** When conversations without recorded times happened; their file's time unless told. */
  at?: Date | undefined;
  /** Hash of the rules that the sessions are rewarded by. */
  rulesHash: string;
  /** What the log holds already. */
  knownSequences?: AppenderOptions["knownSequences"];
  /** Whether a session is rewarded by these rules; one with a judgement unless told. */
  isRewarded?: AppenderOptions["isRewarded"];
  /** Called after every batch with what was done so far. */
  onProgress?: ((progress: Readonly<ImportSummary>) => void) | undefined;
  /** Stops between two batches; what was appended stays, and a second import goes on from there. */
  signal?: AbortSignal | undefined;
}

/** What an import did. */
export interface ImportSummary extends AppendedSessions {
  /** How many rows were malformed; {@link problems} names the first thousand. */
  malformed: number;
  problems: RecordedProblem[];
  /** What a reader should know, though everything was imported. */
  warnings: RecordedProblem[];
}

const MAX_NAMED = 1000;

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
  const appender = new SessionAppender({
    log,
    knownSequences: options.knownSequences,
    isRewarded: options.isRewarded,
    onBatch: () => options.onProgress?.(summary),
    signal,
  });
  const summary: ImportSummary = Object.assign(appender.counts, { malformed: 0, problems: [], warnings: [] });
  const sessionOfId = new Map<string, Uuid>();
  let messages = 0;

  const add = async ({ file, line, row, fileTime }: ParsedRow): Promise<void> => {
    // One count over all rows: sessions without recorded times stay in the order in which they were written.
    const assumedStart = assumedTime(options.at, fileTime) + messages;
    messages += row.messages.length;
    const { learningKey, rulesHash } = options;
    const events = sessionEvents(row, { learningKey, rulesHash, mask: log.mask, assumedStart });
    const sessionId = events[0]!.meta.source;
    if (row.id !== undefined) {
      const earlier = sessionOfId.get(row.id);
      if (earlier !== undefined && earlier !== sessionId && summary.warnings.length < MAX_NAMED) {
        const reason = `another conversation has the id ${JSON.stringify(row.id)} too; both were imported`;
        summary.warnings.push({ file, line, reason });
      }
      sessionOfId.set(row.id, sessionId);
    }
    const length = row.messages.reduce((sum, { raw }) => sum + raw.length, 0);
    await appender.add(events, length);
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
  await appender.flush();
  return summary;
}

/** The time that conversations without one are given. */
export function assumedTime(at: Date | undefined, fileTime: Micros): Micros {
  if (at === undefined) return fileTime;
  if (Number.isNaN(at.getTime()) || at.getTime() < 0) {
    throw new AtlasError("ATLAS_USAGE", "the time of an import is no time since 1970");
  }
  return at.getTime() * 1000;
}
