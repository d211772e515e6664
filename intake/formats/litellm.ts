import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { recordedMessage, toolsIn } from "./chat-rows.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, statusIn, textIn, textsIn } from "./fields.ts";
import type {
  Format,
  ReadingContext,
  RecordedConversation,
  RecordedMessage,
  RecordedUsage,
} from "./format.ts";
import { metadataOf } from "./metadata-of.ts";
import { replyIn } from "./model-reply.ts";
import { usageIn } from "./usage-in.ts";

/** Where callbacks put the payload inside what else they pass on. */
const WRAPPERS = ["standard_logging_object", "standard_logging_payload"];

const wrapperIn = (value: Record<string, unknown>): string | undefined =>
  WRAPPERS.find((name) => isObject(value[name]));

const isPayload = (value: Record<string, unknown>): boolean =>
  typeof value.call_type === "string" &&
  ("messages" in value || "input" in value) &&
  ["startTime", "model_parameters", "custom_llm_provider", "response_cost", "spend"].some(
    (name) => name in value,
  );

/** What was asked: messages, a text, or what a request of Responses puts in `input`. */
function askedIn(row: Fields): unknown[] | string {
  for (const name of ["messages", "input"]) {
    if (!row.isLeft(name)) continue;
    const given = objectIn(row.record[name]) ?? row.record[name];
    const list = listIn(isObject(given) ? (given.messages ?? given.input) : given);
    if (list !== undefined && list.length > 0) {
      if (!isObject(given)) row.drop(name);
      return list.map((item) => (typeof item === "string" ? { role: "user", content: item } : item));
    }
    const text = textIn(given);
    if (text === undefined) continue;
    row.drop(name);
    return [{ role: "user", content: text }];
  }
  return "messages is missing: the proxy was told not to log them, or the call has none";
}

/** What a failed call says of its failure. */
function errorIn({ record }: Fields): string | undefined {
  const about = objectIn(record.error_information);
  return (
    textIn(record.error_str) ??
    textIn(about?.error_message) ??
    textIn(about?.error_class) ??
    textIn(record.exception)
  );
}

/** The tools of the request, wherever it was logged. */
function takeTools(row: Fields, context: ReadingContext) {
  const direct = row.take("tools", toolsIn);
  if (direct !== undefined) return direct;
  for (const name of ["model_parameters", "optional_params"]) {
    const given = objectIn(row.record[name]);
    if (given === undefined) continue;
    const parameters = new Fields(given);
    const tools = parameters.take("tools", toolsIn) ?? parameters.take("functions", toolsIn);
    if (parameters.isLeft("tools"))
      context.note(`${name}.tools holds what is no tool: it is kept as metadata`);
    if (tools === undefined) continue;
    row.replace(name, parameters.rest());
    return tools;
  }
  return undefined;
}

/** What the call took; the payload counts beside the reply. */
function usageOf(row: Fields, own: RecordedUsage | undefined): RecordedUsage | undefined {
  const counted = usageIn(row.record);
  // A call that failed is logged with zeros, which nobody counted.
  const isCounted =
    counted !== undefined && [counted.prompt, counted.completion, counted.total].some((n) => n);
  return own ?? (isCounted ? counted : undefined);
}

function read([value]: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  if (!isObject(value)) return "it is not an object with messages";
  const wrapper = wrapperIn(value);
  const around = new Fields(value);
  if (wrapper !== undefined) around.drop(wrapper);
  const row = wrapper === undefined ? around : new Fields(value[wrapper] as Record<string, unknown>);
  const asked = askedIn(row);
  if (typeof asked === "string") return asked;
  const system = row.take("system", textIn);
  const reply = replyIn(row.record.response);
  if (reply !== undefined) row.replace("response", reply.rest);
  else if (row.isLeft("response") && !isEmpty(row.record.response))
    context.note("response is no answer of a form that is known: it is kept with the metadata");
  const before = system === undefined ? [] : [{ role: "system", content: system }];
  const messages = readMessages([...before, ...asked, ...(reply?.messages ?? [])]);
  if (typeof messages === "string") return `messages${messages}`;
  const error = errorIn(row);
  const cost = row.take("response_cost", numberIn) ?? row.take("spend", numberIn);
  const metadata = row.take("metadata", objectIn);
  const model = textIn(row.record.model) ?? reply?.model;
  const startedAt = row.take("startTime", (at) => context.timeOf(at, "startTime"));
  const endedAt = row.take("endTime", (at) => context.timeOf(at, "endTime"));
  const usage = usageOf(row, reply?.usage);
  const recorded = answered(messages, { context, usage, cost, endedAt: reply && endedAt });
  const isTaken = recorded.some((each) => each.usage !== undefined || each.cost !== undefined);
  const id = row.take("id", nameIn) ?? row.take("request_id", nameIn);
  return [
    {
      content: value,
      messages: recorded,
      id,
      tools: takeTools(row, context) ?? reply?.tools,
      status: row.take("status", statusIn) ?? (error === undefined ? undefined : "failed"),
      error,
      startedAt,
      endedAt,
      agent: model,
      tags: row.take("request_tags", textsIn),
      ...(!isTaken && { usage, cost }),
      metadata: metadataOf(
        metadata,
        wrapper === undefined ? row.rest() : present({ ...row.rest(), around: around.rest() }),
      ),
    },
  ];
}

const isEmpty = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;

interface Answered {
  context: ReadingContext;
  usage: RecordedUsage | undefined;
  cost: number | undefined;
  endedAt: number | undefined;
}

/** The messages, the last of which is the answer of the call: what it took is its own. */
function answered(
  messages: readonly ChatMessage[],
  { context, usage, cost, endedAt }: Answered,
): RecordedMessage[] {
  const recorded = messages.map((message, index) => recordedMessage(message, index, context));
  const last = recorded.at(-1);
  if (last?.message.role !== "assistant" || endedAt === undefined) return recorded;
  return recorded.with(-1, { ...last, at: last.at ?? endedAt, usage: usage ?? last.usage, cost });
}

/** What LiteLLM's callbacks log of a call: its standard logging payload, and rows of its spend logs. */
export const litellm: Format = {
  name: "litellm",
  translation: 1,
  about: "LiteLLM's standard logging payload, one call each",
  recognizes: (value) => {
    if (!isObject(value)) return false;
    const wrapper = wrapperIn(value);
    return isPayload(wrapper === undefined ? value : (value[wrapper] as Record<string, unknown>));
  },
  read,
};
