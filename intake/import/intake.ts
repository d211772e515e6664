import { AtlasError } from "../../errors/atlas-error.ts";
import type { Micros } from "../../schemas/generated/events.ts";
import type { RecordedProblem } from "./parse-recorded.ts";
import { type AppendedSessions, type AppenderOptions, SessionAppender } from "./session-appender.ts";

/** What an import did. */
export interface ImportSummary extends AppendedSessions {
  /** How many rows were malformed; {@link problems} names the first thousand. */
  malformed: number;
  problems: RecordedProblem[];
  /** What a reader should know, though everything was imported. */
  warnings: RecordedProblem[];
}

/** What every intake of others' recordings is told. */
export interface IntakeOptions
  extends Pick<AppenderOptions, "log" | "knownSequences" | "isRewarded" | "signal"> {
  /** Called after every batch with what was done so far. */
  onProgress?: ((progress: Readonly<ImportSummary>) => void) | undefined;
}

const MAX_NAMED = 1000;

/** Names something, while there are not too many names already. */
export function name(problems: RecordedProblem[], problem: RecordedProblem): void {
  if (problems.length < MAX_NAMED) problems.push(problem);
}

/** Begins an intake: what appends, what came of it so far, and who is told of a malformed row. */
export function beginIntake({ log, knownSequences, isRewarded, signal, onProgress }: IntakeOptions) {
  const onBatch = (): void => onProgress?.(summary);
  const appender = new SessionAppender({ log, knownSequences, isRewarded, onBatch, signal });
  const summary: ImportSummary = Object.assign(appender.counts, { malformed: 0, problems: [], warnings: [] });
  const refuse = (problem: RecordedProblem): void => {
    summary.malformed += 1;
    name(summary.problems, problem);
  };
  return { appender, summary, refuse };
}

/** The time that conversations without one are given. */
export function assumedTime(at: Date | undefined, fileTime: Micros): Micros {
  if (at === undefined) return fileTime;
  if (Number.isNaN(at.getTime()) || at.getTime() < 0) {
    throw new AtlasError("ATLAS_USAGE", "the time of an import is no time since 1970");
  }
  return at.getTime() * 1000;
}
