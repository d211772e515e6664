import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage } from "../chat/message.ts";
import { isMessage, readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
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
} from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";

/** Messages in a field: a list, also as JSON text, one message, or a text of somebody. */
const messagesBy =
  (role: "user" | "assistant"): Reader<unknown[]> =>
  (value) => {
    const list = listIn(value);
    if (list !== undefined) return list;
    if (isMessage(value)) return [value];
    return typeof value === "string" ? [{ role, content: value }] : undefined;
  };

/** What a row keeps of a provider's reply: its one answer. A reply with more than that is kept whole besides. */
const answerIn: Reader<unknown[]> = (value) => {
  const reply = objectIn(value);
  if (reply === undefined) return messagesBy("assistant")(value);
  const [choice] = listIn(reply.choices) ?? [];
  if (isObject(choice)) return isObject(choice.message) ? [choice.message] : undefined;
  return listIn(reply.output) ?? messagesBy("assistant")(reply);
};

/** What was said, from wherever a row keeps it. */
function spokenIn(row: Fields): unknown[] | string {
  const listed = row.take("messages", listIn);
  if (listed === undefined && row.isLeft("messages")) return "messages is not a list of messages";
  const asked = listed ?? row.take("prompt", messagesBy("user"));
  const completion = row.take("completion", messagesBy("assistant"));
  const answer = completion ?? answerIn(row.record.response);
  if (answer !== undefined && completion === undefined && !isObject(objectIn(row.record.response)))
    row.drop("response");
  if (asked === undefined || (listed === undefined && answer === undefined)) return "messages is missing";
  const spoken = [...asked, ...(answer ?? [])];
  return spoken.length === 0 ? "messages is empty" : spoken;
}

/** A row's own metadata: an object, also as JSON text. */
function metadataOf(own: Record<string, unknown> | undefined, rest: Record<string, unknown> | undefined) {
  if (rest === undefined) return own;
  let name = "recorded";
  while (own !== undefined && Object.hasOwn(own, name)) name += "_";
  return { ...own, [name]: rest };
}

const timeIn = (row: Fields, what: string, { timeOf }: ReadingContext) => {
  for (const field of ["created_at", "timestamp"]) {
    const at = row.take(field, (value) => timeOf(value, `${what}${field}`));
    if (at !== undefined) return at;
  }
  return undefined;
};

const recordedMessage = (message: ChatMessage, index: number, context: ReadingContext): RecordedMessage => ({
  message,
  at: timeIn(new Fields(message), `messages[${index}].`, context),
});

/** Takes a field, and tells where it could not be used. */
function takeOrTell<T>(
  row: Fields,
  name: string,
  as: Reader<T>,
  wanted: string,
  { note }: ReadingContext,
): T | undefined {
  const taken = row.take(name, as);
  if (taken === undefined && row.isLeft(name)) note(`${name} is not ${wanted}: it is kept with the metadata`);
  return taken;
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  const spoken = spokenIn(row);
  if (typeof spoken === "string") return spoken;
  const messages = readMessages(spoken);
  if (typeof messages === "string") return `messages${messages}`;
  const own = takeOrTell(row, "metadata", objectIn, "an object", context);
  const labels = new Fields(own ?? {});
  const label = (...names: string[]) =>
    names.map((name) => textIn(labels.record[name])).find((text) => text !== undefined);
  const keys = ["learning_key_override", "learning_key"].map((name) =>
    takeOrTell(labels, name, learningKeyIn, "a name of 1 to 512 characters", context),
  );
  const { tags } = labels.record;
  const conversation = {
    content: row.record,
    messages: messages.map((message, index) => recordedMessage(message, index, context)),
    id: row.take("id", nameIn),
    task: takeOrTell(row, "task", textIn, "a text", context),
    tools: row.take("tools", toolDefinitions) ?? row.take("functions", toolDefinitions),
    reward: takeOrTell(row, "reward", numberIn, "a number", context),
    status: takeOrTell(row, "status", statusIn, "a word for succeeded, failed or cancelled", context),
    startedAt: timeIn(row, "", context),
    agent: label("agent", "model") ?? textIn(row.record.agent) ?? textIn(row.record.model),
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
    tenant: label("tenant_id", "tenant"),
    project: label("project"),
    learningKey: keys.find((key) => key !== undefined),
    groupId: row.take("group_id", nameIn) ?? nameIn(labels.record.group_id),
  };
  return [{ ...conversation, metadata: metadataOf(own, row.rest()) }];
}

/** Rows of chat messages, one conversation each: OpenAI's, and all dialects of it. */
export const chatRows: Format = {
  name: "chat",
  translation: 1,
  about: "rows with messages, or prompt and completion: OpenAI, Anthropic, Gemini and their dialects",
  recognizes: (value) =>
    isObject(value) &&
    (value.messages !== undefined ||
      (value.prompt !== undefined && (value.completion !== undefined || value.response !== undefined))),
  read,
};
