import { AtlasError } from "../../errors/atlas-error.ts";
import type { Micros } from "../../schemas/generated/events.ts";
import type { RecordedConversation } from "../formats/format.ts";
import type { ConversationFacts } from "./conversation-facts.ts";
import type { RecordedProblem } from "./read-recordings.ts";
import { type AppendedSessions, type AppenderOptions, SessionAppender } from "./session-appender.ts";

/** What a file was found to hold in one format. */
export interface SeenFormat {
  file: string;
  format: string;
  conversations: number;
  messages: number;
  toolCalls: number;
  /** How many have a reward, or scores that lead to one. */
  rewarded: number;
  /** How many say which tools the agent could call. */
  withTools: number;
  /** How many are one of several trials of a task. */
  grouped: number;
}

/** What an import did. */
export interface ImportSummary extends AppendedSessions {
  /** How many rows were malformed; {@link problems} names the first thousand. */
  malformed: number;
  problems: RecordedProblem[];
  /** What a reader should know, though everything was imported. */
  warnings: RecordedProblem[];
  /** What the files hold, in their order. */
  seen: SeenFormat[];
}

/** What every intake of others' recordings is told. */
export interface IntakeOptions
  extends Pick<AppenderOptions, "log" | "knownSequences" | "isRewarded" | "again" | "signal"> {
  /** Called after every batch with what was done so far. */
  onProgress?: ((progress: Readonly<ImportSummary>) => void) | undefined;
}

const MAX_NAMED = 1000;

/** Names something, while there are not too many names already. */
export function name(problems: RecordedProblem[], problem: RecordedProblem): void {
  if (problems.length < MAX_NAMED) problems.push(problem);
}

const callsIn = ({ messages }: RecordedConversation): number =>
  messages.reduce(
    (sum, { message }) => sum + (message.tool_calls?.length ?? (message.function_call ? 1 : 0)),
    0,
  );

/** Begins an intake: what appends, what came of it so far, who is told of a malformed row, and of what was seen. */
export function beginIntake(options: IntakeOptions) {
  const { onProgress } = options;
  const onBatch = (): void => onProgress?.(summary);
  const appender = new SessionAppender({ ...options, onBatch });
  const summary: ImportSummary = Object.assign(appender.counts, {
    malformed: 0,
    problems: [],
    warnings: [],
    seen: [],
  });
  const refuse = (problem: RecordedProblem): void => {
    summary.malformed += 1;
    name(summary.problems, problem);
  };
  const see = (
    file: string,
    format: string,
    conversation: RecordedConversation,
    { reward, scores }: ConversationFacts,
  ): void => {
    let seen = summary.seen.find((each) => each.file === file && each.format === format);
    if (seen === undefined) {
      seen = {
        file,
        format,
        conversations: 0,
        messages: 0,
        toolCalls: 0,
        rewarded: 0,
        withTools: 0,
        grouped: 0,
      };
      summary.seen.push(seen);
    }
    seen.conversations += 1;
    seen.messages += conversation.messages.length;
    seen.toolCalls += callsIn(conversation);
    if (reward !== undefined || scores.length > 0) seen.rewarded += 1;
    if (conversation.tools !== undefined) seen.withTools += 1;
    if (conversation.groupId !== undefined) seen.grouped += 1;
  };
  return { appender, summary, refuse, see };
}

/** The time that conversations without one are given. */
export function assumedTime(at: Date | undefined, fileTime: Micros): Micros {
  if (at === undefined) return fileTime;
  if (Number.isNaN(at.getTime()) || at.getTime() < 0) {
    throw new AtlasError("ATLAS_USAGE", "the time of an import is no time since 1970");
  }
  return at.getTime() * 1000;
}
