import type { EventLog } from "../../log/event-log.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { checkLearningKey } from "../../schemas/learning-key.ts";
import { assumedTime, beginIntake, type ImportSummary, type IntakeOptions, name } from "./intake.ts";
import { checkReadable, type ParsedRow, parseRecorded } from "./parse-recorded.ts";
import { sessionEvents } from "./recorded-session.ts";

/** What to import, and how. */
export interface ImportOptions extends Omit<IntakeOptions, "log"> {
  /** Files of JSON lines or one JSON array. */
  files: readonly string[];
  log: Pick<EventLog, "append" | "mask">;
  /** Learning key of every session; the recorded or a derived one unless told. */
  learningKey?: string | undefined;
  /** When conversations without recorded times happened; their file's time unless told. */
  at?: Date | undefined;
  /** Hash of the rules that the sessions are rewarded by. */
  rulesHash: string;
}

/**
 * Imports recorded conversations as the sessions they were. Importing the same rows again appends nothing, also when
 * the first import was killed half-way.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE, before anything was appended unless a file fails while it is read;
 *   ATLAS_LEARNING_KEY_INVALID; what the log's append throws; the signal's reason when it aborts
 * @example
 * const { sessions, problems } = await importRecorded({ files: ["runs.jsonl"], log, rulesHash });
 */
export async function importRecorded(options: ImportOptions): Promise<ImportSummary> {
  const { files, log } = options;
  if (options.learningKey !== undefined) checkLearningKey(options.learningKey);
  const { appender, summary, refuse } = beginIntake(options);
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
      if (earlier !== undefined && earlier !== sessionId) {
        const reason = `another conversation has the id ${JSON.stringify(row.id)} too; both were imported`;
        name(summary.warnings, { file, line, reason });
      }
      sessionOfId.set(row.id, sessionId);
    }
    const length = row.messages.reduce((sum, { raw }) => sum + raw.length, 0);
    await appender.add(events, length);
  };

  await checkReadable(files);
  for (const file of files) {
    for await (const found of parseRecorded(file)) {
      if ("row" in found) await add(found);
      else refuse(found);
    }
  }
  await appender.flush();
  return summary;
}
