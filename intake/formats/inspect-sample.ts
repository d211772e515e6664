import { isObject } from "../../traces/clean-text.ts";
import { textOf } from "../chat/message.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, textIn } from "./fields.ts";
import type { ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { Attachments } from "./inspect-attachments.ts";
import { inspectMessages } from "./inspect-content.ts";
import { inspectUsage, messageKey, SampleEvents } from "./inspect-events.ts";
import { inspectScores } from "./inspect-scores.ts";

/** What a log says of all its samples. */
export interface InspectLog {
  task: string | undefined;
  model: string | undefined;
  /** Names the run. */
  run: string | undefined;
  startedAt: number | undefined;
  tags: string[];
  /** The scorer of logs that do not name it beside each score. */
  scorer: string;
  /** All that is kept with every session. */
  metadata: Record<string, unknown>;
}

const whole = (value: unknown): number | undefined => {
  const number = numberIn(value);
  return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};

/** The messages of a sample; of one that was stopped before there were any, what it was given and what came out. */
function spokenIn(sample: Fields): unknown[] {
  const { messages, input, output } = sample.record;
  const listed = listIn(messages) ?? [];
  if (listed.length > 0) return listed;
  const asked = typeof input === "string" ? [{ role: "user", content: input }] : (listIn(input) ?? []);
  const [choice] = isObject(output) ? (listIn(output.choices) ?? []) : [];
  return isObject(choice) && isObject(choice.message) ? [...asked, choice.message] : asked;
}

/** The output without what the messages say. */
function outputRest(
  output: unknown,
  said: ReadonlySet<string | undefined>,
  words: string | undefined,
): unknown {
  if (!isObject(output)) return output;
  const { choices, completion, ...rest } = output;
  const others = listIn(choices)?.map((choice) => {
    if (!isObject(choice) || !said.has(messageKey(choice.message))) return choice;
    const { message: _, ...about } = choice;
    return about;
  });
  return present({
    ...rest,
    choices: others ?? choices,
    completion: completion === words || completion === "" ? undefined : completion,
  });
}

function inputRest(input: unknown, spoken: readonly unknown[]): unknown {
  const texts = new Set(
    spoken.map((message) => JSON.stringify(isObject(message) ? message.content : message)),
  );
  const isThere = (message: unknown): boolean =>
    texts.has(JSON.stringify(isObject(message) ? message.content : message));
  if (typeof input === "string") return isThere(input) ? undefined : input;
  const left = listIn(input)?.filter((message) => !isThere(message));
  return left === undefined ? input : left.length === 0 ? undefined : left;
}

const targetIn = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value;
  const list = listIn(value);
  if (list === undefined || list.length === 0) return undefined;
  return list.length === 1 && typeof list[0] === "string" ? list[0] : JSON.stringify(list);
};

type Ending = Pick<RecordedConversation, "status" | "error">;

/** How a sample ended: an error and a limit stop it. */
function endingOf(error: unknown, limit: unknown): Ending {
  if (error !== undefined && error !== null) {
    const why = isObject(error) ? textIn(error.message) : textIn(error);
    return { status: "failed", error: why ?? "the sample ended with an error" };
  }
  if (limit === undefined || limit === null) return {};
  const kind = textIn(isObject(limit) ? limit.type : limit) ?? "unnamed";
  if (kind === "operator") return { status: "cancelled", error: "stopped by its operator" };
  const most = isObject(limit) ? numberIn(limit.limit) : undefined;
  return {
    status: "failed",
    error: `stopped at its ${kind} limit${most === undefined ? "" : ` of ${most}`}`,
  };
}

/** Usage of the model that was tried; of all where that is not told apart. */
function usageOf(usage: unknown, model: string | undefined): ReturnType<typeof inspectUsage> {
  if (!isObject(usage)) return {};
  const own = model === undefined ? undefined : usage[model];
  const [only, ...others] = Object.values(usage);
  return inspectUsage(own ?? (others.length === 0 ? only : undefined));
}

/**
 * The conversation that a sample was in one epoch.
 *
 * @returns the conversation, or why it is none
 */
export function readSample(
  value: unknown,
  log: InspectLog,
  context: ReadingContext,
): RecordedConversation | string {
  if (!isObject(value)) return "is not an object";
  const { transcript } = value;
  const before = isObject(transcript) ? transcript : {};
  const attachments = new Attachments(value.attachments, before.content);
  const events = new SampleEvents(
    [...(listIn(value.events) ?? []), ...(listIn(before.events) ?? [])],
    attachments,
    context,
  );
  const sample = new Fields(value);
  const spoken = attachments.resolve(spokenIn(sample)) as unknown[];
  const messages: RecordedMessage[] = [];
  for (const [index, each] of spoken.entries()) {
    const read = inspectMessages(each);
    if (typeof read === "string") return `messages[${index}]${read.startsWith("is ") ? " " : "."}${read}`;
    const about = events.of(each as Record<string, unknown>);
    for (const [place, message] of read.entries())
      messages.push({ message, ...(place === 0 ? about : { at: about.at }) });
  }
  if (messages.length === 0) return "has no messages";
  const answer = messages.findLast(({ message }) => message.role === "assistant")?.message;
  const said = new Set(spoken.map(messageKey));
  const old = sample.take("score", (score) => (isObject(score) ? { [log.scorer]: score } : undefined));
  const scored = inspectScores(sample.take("scores", objectIn) ?? old ?? {}, context.note);
  const { input, output, error, limit, epoch } = value;
  const id = sample.take("id", nameIn);
  const isEpoch = sample.take("epoch", whole) !== undefined;
  const target = sample.take("target", targetIn);
  const own = sample.take("uuid", textIn);
  for (const name of ["messages", "events"]) sample.take(name, listIn);
  for (const name of ["transcript", "attachments"]) sample.take(name, objectIn);
  sample.drop("input", "output", "events_data", "message_pool", "call_pool");
  const asked = attachments.resolve(input);
  const kept = attachments.resolve({
    ...sample.rest(),
    input: inputRest(asked, spoken),
    output: outputRest(attachments.resolve(output), said, textOf(answer)),
  }) as Record<string, unknown>;
  const unused = attachments.rest();
  const hasEvents = value.events !== undefined || transcript !== undefined;
  return {
    content: own === undefined ? { ...value, run_id: log.run } : value,
    messages,
    id: own ?? [log.run, id, `epoch_${String(epoch ?? 1)}`].filter((part) => part !== undefined).join("/"),
    task: textIn(asked),
    tools: events.toolsFor(spoken),
    scores: scored.scores,
    ...endingOf(error, limit ?? events.limit),
    startedAt: context.timeOf(value.started_at, "started_at") ?? events.startedAt ?? log.startedAt,
    endedAt: context.timeOf(value.completed_at, "completed_at") ?? events.endedAt,
    agent: log.model,
    tags: log.tags,
    groupId: id === undefined ? undefined : [log.task, id].filter((part) => part !== undefined).join("/"),
    rollout: isEpoch ? whole(epoch) : undefined,
    groundTruth: target,
    ...usageOf(value.model_usage, log.model),
    metadata: present({
      scores: Object.keys(scored.details).length === 0 ? undefined : attachments.resolve(scored.details),
      events: events.kept.length === 0 ? undefined : events.kept,
      attachments: hasEvents || Object.keys(unused).length === 0 ? undefined : unused,
      // What is not as it should be stands under its own name.
      ...kept,
      log: log.metadata,
    }),
  };
}
