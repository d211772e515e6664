import { isObject } from "../../traces/clean-text.ts";
import { textOf } from "../chat/message.ts";
import { countIn } from "./benchmark-fields.ts";
import { Fields, nameIn, numberIn, objectIn, present, type Reader, textIn } from "./fields.ts";
import type {
  Format,
  ReadingContext,
  RecordedConversation,
  RecordedMessage,
  RecordedUsage,
} from "./format.ts";
import { turnsOf } from "./openhands.ts";
import { isEvent } from "./openhands-event.ts";
import { isSdkEvent } from "./openhands-sdk-events.ts";
import { type Event, recordedMessages } from "./openhands-turns.ts";

/** Names under which benchmarks say whether a task was solved. */
const VERDICTS = [
  "reward",
  "resolved",
  "score",
  "success",
  "passed",
  "correct",
  "result",
  "report",
  "test_result",
];

/** What a benchmark's own result says of success. */
const verdictIn: Reader<number> = (value) => {
  if (!isObject(value)) return typeof value === "string" ? undefined : numberIn(value);
  for (const name of VERDICTS) {
    const verdict = value[name] === undefined || value[name] === null ? undefined : verdictIn(value[name]);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
};

const OWN_VERDICTS = ["test_result", "report", "resolved", "success"] as const;

/** Events one by one: older files pair each action with what was observed of it. */
const eventsIn = (history: readonly unknown[]): unknown[] =>
  history.flatMap((item) => (Array.isArray(item) ? (item as unknown[]) : [item]));

function usageOf(metrics: Event): RecordedUsage | undefined {
  const total = objectIn(metrics.accumulated_token_usage);
  const listed = Array.isArray(metrics.token_usages) ? metrics.token_usages.filter(isObject) : [];
  const uses: Event[] = total === undefined ? listed : [total];
  if (uses.length === 0) return undefined;
  const sum = (name: string) => uses.reduce((all, each) => all + (countIn(each[name]) ?? 0), 0);
  return {
    prompt: sum("prompt_tokens"),
    completion: sum("completion_tokens"),
    cached: sum("cache_read_tokens"),
  };
}

/** Who a row is about: its name, and the name with its data set. */
function namesOf(row: Event): { id?: string; groupId?: string } {
  const issue = objectIn(row.issue);
  const number = issue === undefined ? undefined : nameIn(issue.number);
  const id =
    nameIn(row.instance_id) ??
    (number === undefined ? undefined : `${String(issue?.owner)}/${String(issue?.repo)}#${number}`);
  if (id === undefined) return {};
  const dataset = textIn(objectIn(row.metadata)?.dataset) ?? textIn(objectIn(row.metadata)?.data_split);
  return { id, groupId: [dataset ?? "openhands", id].join("/") };
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Event);
  const { history } = row.record;
  const error = textIn(row.record.error);
  if (!Array.isArray(history) || history.length === 0)
    return `history is ${Array.isArray(history) ? "empty" : "missing"}${error === undefined ? "" : ": the run broke down, as error says"}`;
  row.drop("history");
  const events = eventsIn(history);
  const found = turnsOf(events.filter(isObject));
  for (const value of events) if (!isObject(value) && value !== null) found.beside.push({ value });
  const messages = recordedMessages(found, context);
  if (messages.length === 0) return "history has no event in which something is said";
  const instruction = textIn(row.record.instruction);
  const isAsked = messages.some(({ message }) => message.role === "user" && textOf(message));
  if (!isAsked && instruction !== undefined) addInstruction(messages, instruction);
  const settings = objectIn(row.record.metadata) ?? {};
  const metrics = objectIn(row.record.metrics) ?? {};
  const instance = objectIn(row.record.instance) ?? {};
  const verdicts = OWN_VERDICTS.map((name) => verdictIn(row.record[name]));
  return [
    {
      content: row.record,
      messages,
      ...namesOf(row.record),
      tools: found.tools,
      reward: verdicts.find((verdict) => verdict !== undefined),
      ...(error === undefined ? found.end : { status: "failed" as const, error }),
      agent:
        textIn(objectIn(settings.llm_config)?.model) ??
        textIn(objectIn(settings.llm)?.model) ??
        found.model ??
        textIn(settings.agent_class),
      groundTruth: textIn(instance.patch) ?? textIn(objectIn(row.record.test_result)?.ground_truth),
      usage: messages.some(({ usage }) => usage !== undefined) ? undefined : usageOf(metrics),
      cost: numberIn(metrics.accumulated_cost) ?? found.cost,
      metadata: present({ ...row.rest(), ...(found.beside.length > 0 && { events: found.beside }) }),
    },
  ];
}

/** The instruction is what the user said, where the events begin with what came of it. */
function addInstruction(messages: RecordedMessage[], content: string): void {
  const at = messages.findIndex(({ message }) => message.role !== "system");
  messages.splice(at === -1 ? messages.length : at, 0, { message: { role: "user", content } });
}

const MARKS = ["instance_id", "instruction", "test_result", "git_patch", "metrics", "instance", "issue"];

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const hasEvents = (history: unknown): boolean =>
  Array.isArray(history) &&
  history.some(
    (item) =>
      isEvent(item) || isSdkEvent(item) || (Array.isArray(item) && item.some((each) => isEvent(each))),
  );

/** Rows of OpenHands' evaluations and of its resolver: output.jsonl. */
export const openhandsEval: Format = {
  name: "openhands-eval",
  translation: 1,
  about: "rows of OpenHands' evaluations (output.jsonl), with history",
  recognizes: (value) =>
    isObject(value) &&
    "history" in value &&
    value.messages === undefined &&
    MARKS.filter((mark) => mark in value).length >= (hasEvents(value.history) ? 1 : 2) &&
    (hasEvents(value.history) || value.history === null || isEmpty(value.history)),
  read,
};
