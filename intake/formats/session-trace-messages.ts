import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { type LogEvent, plainContent, restOf, textOr, toldBy } from "./agent-log.ts";
import { numberIn } from "./fields.ts";
import type { ReadingContext, RecordedMessage, RecordedUsage } from "./format.ts";

const add = (...counts: (number | undefined)[]): number | undefined => {
  const known = counts.filter((count) => count !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0);
};

/** Pi counts what was cached beside the other tokens of the prompt; others write OpenAI's names. */
function usageOf(usage: unknown): RecordedUsage | undefined {
  if (!isObject(usage)) return undefined;
  const { input, output, cacheRead, cacheWrite, totalTokens } = usage;
  const prompt =
    add(numberIn(input), numberIn(cacheRead), numberIn(cacheWrite)) ?? numberIn(usage.prompt_tokens);
  const completion = numberIn(output) ?? numberIn(usage.completion_tokens);
  const total = numberIn(totalTokens) ?? numberIn(usage.total_tokens);
  if (prompt === undefined && completion === undefined && total === undefined) return undefined;
  return { prompt, completion, total, cached: numberIn(cacheRead) };
}

const costOf = (usage: unknown): number | undefined =>
  isObject(usage) && isObject(usage.cost) ? numberIn(usage.cost.total) : undefined;

/** What Pi itself put into the conversation, by its role or by the type of its entry. */
const FROM_PROGRAM = new Set([
  "bashExecution",
  "custom",
  "hookMessage",
  "branchSummary",
  "compactionSummary",
  "custom_message",
  "compaction",
  "branch_summary",
]);

/** An answer that is an error of the provider: the model said nothing. */
export const isFailedAnswer = ({ role, stopReason, errorMessage }: LogEvent): boolean =>
  role === "assistant" &&
  (stopReason === "error" || (stopReason === "aborted" && textOr(errorMessage, "") !== ""));

const isSilent = ({ content }: LogEvent): boolean =>
  content === undefined ||
  content === null ||
  content === "" ||
  (Array.isArray(content) && content.length === 0);

/** The text of what the program told the model. */
function toldText(value: LogEvent): unknown {
  const { command, output, summary, content } = value;
  if (typeof command === "string") return `$ ${command}\n${textOr(output, "")}`;
  return textOr(summary, content);
}

/** What an entry says of itself, beside the fields that were taken. */
const beside = (entry: LogEvent, at: number | undefined, ...taken: string[]): LogEvent | undefined =>
  restOf(entry, ...taken, ...(at === undefined ? [] : ["timestamp"]));

/** The messages that an entry of a session is; undefined where it is none. */
export function messagesOf(
  entry: LogEvent,
  program: string,
  context: ReadingContext,
): RecordedMessage[] | undefined {
  const given = isObject(entry.message) ? entry.message : undefined;
  if (given === undefined && !FROM_PROGRAM.has(entry.type as string)) return undefined;
  const own = given ?? entry;
  const at = context.timeOf(entry.timestamp ?? own.timestamp, "timestamp");
  const kept = given === undefined ? undefined : beside(entry, at, "type", "message");
  const extras = { ...(kept && { entry: kept }) };
  const name = program.replace(/[^\w-]/g, "-");
  if (given === undefined || FROM_PROGRAM.has(own.role as string)) {
    const told = toldText(own);
    if (told === undefined || told === "") return undefined;
    const recorded = given === undefined ? {} : { recorded_as: own.role };
    const rest = beside(own, at, "role", "content", "summary", "command", "output");
    return [{ message: toldBy(name, told, { ...rest, ...recorded, ...extras }), at }];
  }
  if (isFailedAnswer(own) && isSilent(own)) return undefined;
  const read = readMessages([{ ...own, content: plainContent(own.content) }]);
  if (typeof read === "string") {
    context.note(
      `a message cannot be read (${read.replace(/^\[0\][ .]/, "")}): it is kept with the metadata`,
    );
    return undefined;
  }
  const { usage } = own;
  return read.map((message, index) => ({
    message: index === 0 ? { ...message, ...extras } : message,
    at,
    ...(message.role === "assistant" && { usage: usageOf(usage), cost: costOf(usage) }),
  }));
}
