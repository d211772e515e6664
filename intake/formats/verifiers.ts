import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage } from "../chat/message.ts";
import { isMessage, readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { contentHash } from "../exact-json.ts";
import { usageIn } from "./benchmark-fields.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, type Reader, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { momentIn, truthIn, wordsOfError } from "./verifiers-fields.ts";

/** Messages in a field; environments that complete a text have a text. */
const spokenBy =
  (role: "user" | "assistant"): Reader<unknown[]> =>
  (value) => {
    const list = listIn(value);
    if (list !== undefined) return list;
    if (isMessage(value)) return [value];
    return typeof value === "string" ? [{ role, content: value }] : undefined;
  };

/** What is known of the model's calls, one a turn, without the messages that the rollout has already. */
interface Step {
  usage: unknown;
  model: string | undefined;
  rest: Record<string, unknown>;
}

function stepsIn(row: Fields, spoken: readonly unknown[]): Step[] {
  const known = new Set(spoken.map((message) => JSON.stringify(message)));
  const isKnown = (value: unknown): boolean =>
    Array.isArray(value) && value.every((message) => known.has(JSON.stringify(message)));
  return (row.take("trajectory", listIn) ?? []).map((value): Step => {
    const step = objectIn(value) ?? { value };
    const response = objectIn(step.response) ?? {};
    const rest = Object.entries(step).filter(
      ([name, inner]) => inner !== null && !((name === "prompt" || name === "completion") && isKnown(inner)),
    );
    return { usage: response.usage, model: textIn(response.model), rest: Object.fromEntries(rest) };
  });
}

/** Trials of one example share it; examples are counted from 0 in every environment, so what was asked tells them apart. */
function groupOf(row: Fields, prompt: readonly unknown[]): string | undefined {
  const example = nameIn(row.record.example_id);
  if (example === undefined) return undefined;
  const about = prompt.length === 0 ? [] : [contentHash(prompt).slice(0, 8)];
  return [textIn(row.record.env_id) ?? textIn(row.record.task) ?? "verifiers", example, ...about].join("/");
}

/** What a limit cut off has not come to its end. */
function endOf(row: Fields): Pick<RecordedConversation, "status" | "error"> {
  const error = wordsOfError(row.record.error);
  if (error !== undefined) return { status: "failed", error };
  if (row.record.is_truncated !== true) return {};
  return { status: "failed", error: `cut off by ${textIn(row.record.stop_condition) ?? "a limit"}` };
}

function recordedMessages(
  messages: readonly ChatMessage[],
  from: number,
  {
    steps,
    spans,
    timeOf,
  }: { steps: readonly Step[]; spans: readonly unknown[] } & Pick<ReadingContext, "timeOf">,
): RecordedMessage[] {
  const turns = messages.filter(({ role }, index) => index >= from && role === "assistant");
  return messages.map((message, index): RecordedMessage => {
    const turn = index < from ? -1 : turns.indexOf(message);
    if (turn === -1) return { message };
    const isTimed = spans.length === turns.length;
    return {
      message,
      at: isTimed ? timeOf(momentIn(objectIn(spans[turn])?.end), "timing.model.spans") : undefined,
      usage: steps.length === turns.length ? usageIn(steps[turn]!.usage) : undefined,
    };
  });
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  if (row.record.rollouts_per_example !== undefined && row.record.completion === undefined)
    return "it is the metadata of a run: the rollouts stand in a file beside it, such as results.jsonl";
  const prompt = row.take("prompt", spokenBy("user")) ?? [];
  const completion = row.take("completion", spokenBy("assistant")) ?? [];
  if (prompt.length + completion.length === 0) return "prompt and completion are empty";
  const before = readMessages(prompt);
  if (typeof before === "string") return `prompt${before}`;
  const after = readMessages(completion);
  if (typeof after === "string") return `completion${after}`;
  const steps = stepsIn(row, [...prompt, ...completion]);
  const timing = objectIn(row.record.timing) ?? {};
  const [generation, scoring] = [objectIn(timing.generation), objectIn(timing.scoring)];
  const spans = listIn(objectIn(timing.model)?.spans) ?? [];
  const { timeOf } = context;
  const messages = recordedMessages([...before, ...after], before.length, { steps, spans, timeOf });
  const kept = steps.map(({ rest }) => rest);
  return [
    {
      content: row.record,
      messages,
      id: row.take("id", nameIn) ?? row.take("rollout_id", nameIn),
      tools: row.take("tool_defs", toolDefinitions) ?? toolDefinitions(objectIn(row.record.info)?.oai_tools),
      reward: row.takeOrTell("reward", numberIn, "a number", context.note),
      ...endOf(row),
      startedAt: timeOf(momentIn(timing.start_time) ?? momentIn(generation?.start), "timing.start_time"),
      endedAt: timeOf(momentIn(generation?.end) ?? momentIn(scoring?.end), "timing.generation.end"),
      agent: steps.find(({ model }) => model !== undefined)?.model ?? textIn(row.record.model),
      groupId: row.take("group_id", nameIn) ?? groupOf(row, prompt),
      groundTruth: truthIn(row.record.answer),
      usage: messages.some(({ usage }) => usage !== undefined) ? undefined : usageIn(row.record.token_usage),
      metadata: present({ ...row.rest(), ...(kept.length > 0 && { trajectory: kept }) }),
    },
  ];
}

const MARKS = ["is_truncated", "is_completed", "stop_condition", "tool_defs", "generation_ms", "token_usage"];

/** Rollouts of verifiers and prime-rl: results.jsonl of an evaluation, or what was trained on. */
export const verifiers: Format = {
  name: "verifiers",
  translation: 1,
  about: "rollouts of verifiers and prime-rl: prompt, completion, reward",
  recognizes: (value) =>
    isObject(value) &&
    value.messages === undefined &&
    (("completion" in value &&
      "prompt" in value &&
      (value.example_id !== undefined || MARKS.some((mark) => mark in value))) ||
      (value.env_id !== undefined && value.rollouts_per_example !== undefined)),
  read,
};
