import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { toolsIn } from "./chat-rows.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, type Reader, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { messageOf, outputMessages, systemOf } from "./tensorzero-content.ts";
import { usageIn } from "./usage-in.ts";

const TOOL_LISTS = ["tools_available", "additional_tools", "dynamic_provider_tools"];

/** The tools of a row: of its `tool_params`, or beside its input. What else is said of tools is left over. */
function takeTools(row: Fields) {
  const parameters = objectIn(row.record.tool_params);
  const inner = parameters === undefined ? undefined : new Fields(parameters);
  const tools = [inner, row].flatMap((from) => TOOL_LISTS.flatMap((name) => from?.take(name, toolsIn) ?? []));
  if (inner !== undefined) row.replace("tool_params", inner.rest());
  return tools.length === 0 ? row.take("tools", toolDefinitions) : tools;
}

/** The time that a UUID of version 7 begins with: TensorZero keeps it nowhere else. */
const uuidTime: Reader<number> = (value) => {
  const match = typeof value === "string" ? /^([0-9a-f]{8})-([0-9a-f]{4})-7/i.exec(value) : null;
  return match === null ? undefined : Number.parseInt(`${match[1]}${match[2]}`, 16);
};

const labelsIn: Reader<string[]> = (value) => {
  const tags = objectIn(value);
  return tags === undefined ? undefined : Object.entries(tags).map(([key, each]) => `${key}:${String(each)}`);
};

function read([value]: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  if (!isObject(value)) return "it is not an object with input";
  const row = new Fields(value);
  const given = objectIn(row.record.input);
  if (given === undefined) return "input is not an object with messages";
  const input = new Fields(given);
  const asked = input.take("messages", listIn) ?? [];
  const told = (what: string): void => context.note(what);
  const system = systemOf(input, told);
  const answer = outputMessages(row, told);
  const values = [...system, ...asked.flatMap((each) => messageOf(each, told)), ...answer];
  const messages = readMessages(values);
  if (typeof messages === "string") return `messages${messages}`;
  if (messages.length === 0) return "input.messages is empty";
  row.replace("input", input.rest());
  if (row.record.is_deleted === true)
    context.note("the datapoint is marked as deleted: it is imported all the same");
  const isDatapoint = row.record.dataset_name !== undefined;
  const id = row.take("id", nameIn) ?? row.take("inference_id", nameIn);
  const startedAt = isDatapoint ? undefined : startOf(row, id, context);
  const took = numberIn(row.record.processing_time_ms);
  const endedAt = startedAt === undefined || took === undefined ? undefined : startedAt + took * 1000;
  const functionName = textIn(row.record.function_name);
  const last = messages.length - 1;
  const usage = usageIn(row.record.usage) ?? usageIn(row.record);
  return [
    {
      content: value,
      messages: messages.map(
        (message, index): RecordedMessage =>
          index === last && message.role === "assistant" ? { message, at: endedAt, usage } : { message },
      ),
      id,
      tools: takeTools(row),
      startedAt,
      endedAt,
      agent: functionName,
      tags: labelsIn(row.record.tags),
      metadata: row.rest(),
    },
  ];
}

function startOf(row: Fields, id: string | undefined, context: ReadingContext): number | undefined {
  const said = row.take("timestamp", (at) => context.timeOf(at, "timestamp"));
  const millis = said === undefined ? uuidTime(id) : undefined;
  return said ?? (millis === undefined ? undefined : context.timeOf(millis, "id"));
}

/** Inferences and datapoints of TensorZero, of chat and of JSON functions. */
export const tensorzero: Format = {
  name: "tensorzero",
  translation: 1,
  about: "TensorZero's inferences and datapoints",
  recognizes: (value) =>
    isObject(value) &&
    typeof value.function_name === "string" &&
    "input" in value &&
    ["episode_id", "variant_name", "dataset_name", "inference_id"].some((name) => name in value),
  read,
};
