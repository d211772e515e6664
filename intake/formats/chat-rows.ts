import { isObject } from "../../traces/clean-text.ts";
import { MEDIA_LISTS, type Media, withMedia } from "../chat/media-marks.ts";
import type { ChatMessage } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { type ToolDefinition, toolDefinitions } from "../chat/tool-definitions.ts";
import {
  Fields,
  learningKeyIn,
  listIn,
  nameIn,
  numberIn,
  objectIn,
  type Reader,
  statusIn,
  textIn,
  textsIn,
} from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { metadataOf } from "./metadata-of.ts";
import { holdsSpeech, speechOf } from "./row-speech.ts";
import { usageIn } from "./usage-in.ts";

/** Tools, where each item of a list is one: else the list is kept as it is. */
export const toolsIn: Reader<ToolDefinition[]> = (value) => {
  const isWhole = listIn(value)?.every((item) => toolDefinitions([item]) !== undefined) ?? true;
  return isWhole ? toolDefinitions(value) : undefined;
};

/** Whether an answer was wanted, as KTO's data sets say it, as a reward. */
export const takeLabel = (row: Fields): number | undefined => {
  const asReward: Reader<number> = (value) => (typeof value === "boolean" ? Number(value) : undefined);
  return row.take("kto_tag", asReward) ?? row.take("label", asReward);
};

const STARTED = ["started_at", "start_time", "created_at", "timestamp"];
const ENDED = ["ended_at", "end_time", "completed_at"];

function timeIn(row: Fields, names: readonly string[], { timeOf }: ReadingContext, what = "") {
  for (const field of names) {
    const at = row.take(field, (value) => timeOf(value, `${what}${field}`));
    if (at !== undefined) return at;
  }
  return undefined;
}

const ownUsage = ({ usage, usage_metadata, response_metadata }: ChatMessage) => {
  const about = objectIn(response_metadata);
  return usageIn(usage) ?? usageIn(usage_metadata) ?? usageIn(about?.token_usage ?? about?.tokenUsage);
};

/** A message with what it says of itself: when it was said, and what it took. */
export const recordedMessage = (
  message: ChatMessage,
  index: number,
  context: ReadingContext,
): RecordedMessage => ({
  message,
  at: timeIn(new Fields(message), ["created_at", "timestamp"], context, `messages[${index}].`),
  usage: message.role === "assistant" ? ownUsage(message) : undefined,
});

/** Puts the images of a row where its texts mark them. */
export function placeMedia(row: Fields, messages: ChatMessage[], { note }: ReadingContext): ChatMessage[] {
  const media: Media = {};
  for (const [mark, list] of MEDIA_LISTS) {
    const given = textsIn(row.record[list]);
    if (given !== undefined && given.length > 0) media[mark] = given;
  }
  if (Object.keys(media).length === 0) return messages;
  const placed = withMedia(messages, media);
  if (placed === undefined) {
    note("there are not as many marks such as <image> as media: the texts stay, and the media are metadata");
    return messages;
  }
  for (const [mark, list] of MEDIA_LISTS) if (media[mark] !== undefined) row.drop(list);
  return placed;
}

/** Gives the call that brought the last answer what it took, where the messages do not tell. */
function withUsage(messages: RecordedMessage[], usage: RecordedMessage["usage"]): RecordedMessage[] {
  const last = messages.findLastIndex(({ message }) => message.role === "assistant");
  if (usage === undefined || last === -1 || messages.some((each) => each.usage !== undefined))
    return messages;
  return messages.with(last, { ...messages[last]!, usage });
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  if (!isObject(values[0])) return "it is not an object with messages";
  const row = new Fields(values[0]);
  const speech = speechOf(row);
  if (typeof speech === "string") return speech;
  const { reply, request } = speech;
  const read = readMessages(speech.values);
  if (typeof read === "string") return `messages${read}`;
  if (reply !== undefined && reply.answers > 1)
    context.note(`there are ${reply.answers} answers: the first is taken, the others are kept as metadata`);
  if (row.isLeft("response"))
    context.note("response is no answer of a form that is known: it is kept with the metadata");
  const own = row.takeOrTell("metadata", objectIn, "an object", context.note);
  const labels = new Fields(own ?? {});
  const label = (...names: string[]) =>
    names.map((name) => textIn(labels.record[name])).find((text) => text !== undefined);
  const keys = ["learning_key_override", "learning_key"].map((name) =>
    labels.takeOrTell(name, learningKeyIn, "a name of 1 to 512 characters", context.note),
  );
  const { tags } = labels.record;
  const toolsOf = (from: Fields) => from.take("tools", toolsIn) ?? from.take("functions", toolsIn);
  const error = row.take("error", textIn);
  const messages = placeMedia(row, read, context).map((message, index) =>
    recordedMessage(message, index, context),
  );
  const conversation = {
    content: row.record,
    messages: withUsage(messages, reply?.usage ?? usageIn(row.record.usage)),
    id: row.take("id", nameIn),
    task: row.takeOrTell("task", textIn, "a text", context.note),
    tools: toolsOf(row) ?? (request && toolsOf(request)) ?? reply?.tools,
    reward: row.takeOrTell("reward", numberIn, "a number", context.note) ?? takeLabel(row),
    status:
      row.takeOrTell("status", statusIn, "a word for succeeded, failed or cancelled", context.note) ??
      (error === undefined ? undefined : ("failed" as const)),
    error,
    startedAt: timeIn(row, STARTED, context),
    endedAt: timeIn(row, ENDED, context),
    agent: label("agent", "model") ?? textIn(row.record.agent) ?? textIn(row.record.model) ?? reply?.model,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
    tenant: label("tenant_id", "tenant"),
    project: label("project"),
    learningKey: keys.find((key) => key !== undefined),
    groupId: row.take("group_id", nameIn) ?? nameIn(labels.record.group_id),
    groundTruth: row.take("ground_truth", textIn),
  };
  const left = request?.rest();
  const rest = left === undefined ? row.rest() : { ...row.rest(), request: left };
  return [{ ...conversation, metadata: metadataOf(own, rest) }];
}

/** Rows of chat messages, one conversation each: OpenAI's, and all dialects of it. */
export const chatRows: Format = {
  name: "chat",
  translation: 1,
  about:
    "rows with messages, prompt and completion, or input and output: OpenAI, Anthropic, Gemini and others",
  recognizes: (value) => isObject(value) && holdsSpeech(value),
  read,
};
