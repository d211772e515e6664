import type { SessionStatus } from "../../schemas/vocabulary.ts";
import { isObject } from "../../traces/clean-text.ts";
import { textOf } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { countIn, withoutNulls, wordsIn } from "./benchmark-fields.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";
import { isShownOtherwise, joinSteps, messagesOfSteps } from "./swe-agent-steps.ts";

const isDemo = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && (value.is_demo === true || value.message_type === "demonstration");

const thoughtsIn = (blocks: unknown): string[] =>
  (Array.isArray(blocks) ? (blocks as unknown[]) : [])
    .map((block) => (isObject(block) ? textIn(block.thinking) : undefined))
    .filter((text) => text !== undefined);

/** A message of the history: its thought is in its content already, unless the model thought apart from it. */
function historyMessages(value: unknown): unknown[] {
  if (!isObject(value)) return [value];
  const { content, thought, tool_call_ids, ...others } = value;
  const text = wordsIn(content);
  const thoughts = thoughtsIn(value.thinking_blocks);
  const apart = textIn(thought);
  if (apart !== undefined && !text.includes(apart.trim())) thoughts.push(apart);
  const message = {
    ...withoutNulls({ ...others, ...(textIn(thought) === undefined && { thought }) }),
    content,
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }),
  };
  const ids = Array.isArray(tool_call_ids) ? (tool_call_ids as unknown[]) : [];
  if (ids.length === 0) return [message];
  return ids.map((id) => ({ ...message, tool_call_id: id }));
}

/**
 * The history without the words that a demonstration puts into the agent's mouth: those are kept in the message after
 * them.
 */
function withoutDemos(history: readonly unknown[]): unknown[] {
  const spoken = history.some((value) => isDemo(value) && value.role === "assistant");
  if (!spoken) return [...history];
  const shown = history.filter(isDemo);
  const own = history.filter((value) => !isDemo(value));
  const at = own.findIndex((value) => isObject(value) && value.role === "user");
  return own.map((value, index) =>
    index === Math.max(0, at) && isObject(value) ? { ...value, demonstration: shown } : value,
  );
}

/** Only what was submitted of the agent's own will has succeeded; a limit submits what there is as well. */
function endOf(info: Record<string, unknown>): { status?: SessionStatus; error?: string } {
  const reason = textIn(info.exit_status);
  if (reason === "submitted") return { status: "succeeded" };
  if (reason !== undefined) return { status: "failed", error: `ended by ${reason}` };
  return "exit_status" in info ? { status: "cancelled" } : {};
}

/** What the calls of the model took; nothing where nobody counted. */
function takenIn(info: Record<string, unknown>): Pick<RecordedConversation, "usage" | "cost"> {
  const stats = objectIn(info.model_stats) ?? {};
  const [prompt, completion] = [countIn(stats.tokens_sent), countIn(stats.tokens_received)];
  if (!prompt && !completion && !countIn(stats.api_calls)) return {};
  return {
    usage: prompt || completion ? { prompt, completion } : undefined,
    cost: numberIn(stats.instance_cost),
  };
}

/** What the configuration for a replay says of the run. */
function configured(row: Record<string, unknown>): Record<"id" | "model" | "problem", string | undefined> {
  const config = objectIn(row.replay_config) ?? {};
  const problem = objectIn(config.problem_statement) ?? {};
  const model = objectIn(objectIn(config.agent)?.model) ?? {};
  return {
    id: nameIn(row.instance_id) ?? nameIn(problem.id),
    model: textIn(model.name),
    problem: textIn(problem.text),
  };
}

function conversationOf(
  value: Record<string, unknown>,
  { note }: ReadingContext,
): RecordedConversation | string {
  const row = new Fields(value);
  const history = row.take("history", listIn) ?? [];
  const steps = row.take("trajectory", listIn) ?? [];
  const info = objectIn(row.record.info) ?? {};
  const config = configured(value);
  if (history.length + steps.length === 0) return "history and trajectory are empty: the agent said nothing";
  const told = history.length > 0 ? undefined : messagesOfSteps(steps);
  const read = readMessages(told?.messages ?? withoutDemos(history).flatMap(historyMessages));
  if (typeof read === "string") return `${told === undefined ? "history" : "trajectory"}${read}`;
  const { messages, left } = told === undefined ? joinSteps(read, steps) : { messages: read, left: [] };
  if (isShownOtherwise(steps, messages))
    note("trajectory has in `query` what the model was shown of the history at each step: it is left out");
  const asked = messages.find(
    (message) => message.role === "user" && message.is_demo !== true && textOf(message),
  );
  const isTold = told === undefined || told.isPrompted;
  if (!isTold)
    note("the prompt was not recorded: the task is named, and the conversation begins with the answer");
  const name = config.problem ?? config.id ?? textIn(value.environment);
  return {
    content: value,
    messages: messages.map((message) => ({ message })),
    id: config.id,
    task: isTold ? textOf(asked) : (name ?? "(not recorded)"),
    ...endOf(info),
    ...takenIn(info),
    agent: config.model,
    groupId: config.id && `swe-agent/${config.id}`,
    metadata: left.length === 0 ? row.rest() : { ...row.rest(), trajectory: left },
  };
}

/** The attempts of an agent that tries again: what the file says beside them repeats the best. */
function attemptsIn(row: Fields, attempts: readonly unknown[], context: ReadingContext) {
  row.drop("attempts", "history", "trajectory");
  const shared = row.rest();
  const found: RecordedConversation[] = [];
  for (const [index, attempt] of attempts.entries()) {
    const read = isObject(attempt)
      ? conversationOf({ ...shared, ...attempt }, context)
      : "it is not an object";
    if (typeof read === "string") {
      context.note(`attempts[${index}]: ${read}: this attempt is left out`);
      continue;
    }
    const run = shared === undefined ? read.metadata : { ...read.metadata, run: shared };
    found.push({ ...read, content: attempt, rollout: index, metadata: run });
  }
  return found.length === 0 ? "no attempt has a history or a trajectory" : found;
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  const attempts = listIn(row.record.attempts) ?? [];
  if (attempts.length > 0) return attemptsIn(row, attempts, context);
  const conversation = conversationOf(row.record, context);
  return typeof conversation === "string" ? conversation : [conversation];
}

const MARKS = ["agent", "message_type", "thought", "action", "is_demo", "tool_call_ids"];

const isHistory = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.some((item) => isObject(item) && typeof item.role === "string" && MARKS.some((mark) => mark in item));

const isTrajectory = (value: unknown): boolean =>
  Array.isArray(value) &&
  isObject(value[0]) &&
  typeof value[0].action === "string" &&
  ("observation" in value[0] || "response" in value[0]);

const isRun = (value: unknown): boolean =>
  isObject(value) &&
  value.messages === undefined &&
  (isHistory(value.history) ||
    isTrajectory(value.trajectory) ||
    (Array.isArray(value.trajectory) && isObject(value.info) && "exit_status" in value.info));

/** Trajectories of SWE-agent: what the agent was told, said and saw. */
export const sweAgent: Format = {
  name: "swe-agent",
  translation: 1,
  about: "trajectories of SWE-agent (.traj), with history or trajectory",
  recognizes: (value) =>
    isRun(value) || (isObject(value) && Array.isArray(value.attempts) && value.attempts.some(isRun)),
  read,
};
