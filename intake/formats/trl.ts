import { isObject } from "../../traces/clean-text.ts";
import { textOf } from "../chat/message.ts";
import { isMessage, readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import {
  Fields,
  learningKeyIn,
  listIn,
  nameIn,
  numberIn,
  objectIn,
  present,
  type Reader,
  statusIn,
  textIn,
} from "./fields.ts";
import type { Format, RecordedConversation, RecordedMessage, RecordedScore } from "./format.ts";

/** Turns of somebody: a list, also as JSON text, one message, or a text. */
const turnsBy =
  (role: "user" | "assistant"): Reader<unknown[]> =>
  (value) => {
    const list = listIn(value);
    if (list !== undefined) return list.every((item) => isMessage(item)) ? list : undefined;
    if (isMessage(value)) return [value];
    return typeof value === "string" ? [{ role, content: value }] : undefined;
  };

/** One answer of a row, and what was made of it. */
interface Answer {
  turns: unknown[];
  scores?: RecordedScore[];
  reward?: number | undefined;
  rollout?: number;
  /** Which of the row's answers it is. */
  part?: string;
}

const isListed = (value: unknown): boolean => Array.isArray(listIn(value));

const isGroup = (row: Record<string, unknown>): boolean =>
  row.prompt !== undefined && isListed(row.completions);
/** Columns that our own exports have. */
export const isExported = (row: Record<string, unknown>): boolean =>
  typeof row.session_id === "string" &&
  row.step_id !== undefined &&
  "learning_key" in row &&
  (isListed(row.messages) || (isListed(row.prompt) && isListed(row.completion)));

function groupOf(row: Fields): Answer[] | string {
  const completions = row.take("completions", listIn)!;
  const rewards = row.take("rewards", (value) => {
    const list = listIn(value);
    return list?.length === completions.length ? list : undefined;
  });
  const answers: Answer[] = [];
  for (const [index, completion] of completions.entries()) {
    const turns = turnsBy("assistant")(completion);
    if (turns === undefined) return `completions[${index}] is neither a text nor messages`;
    const reward = numberIn(rewards?.[index]);
    answers.push({ turns, part: String(index), rollout: index, reward });
  }
  return answers.length === 0 ? "completions is empty" : answers;
}

function onlyAnswer(row: Fields): Answer[] | string {
  const label = row.take("label", (value) => (typeof value === "boolean" ? value : undefined));
  const turns = row.take("completion", turnsBy("assistant"));
  if (turns === undefined && row.record.messages === undefined)
    return "completion is neither a text nor messages";
  const scores = label === undefined ? undefined : [{ judge: "label", score: Number(label) }];
  return [{ turns: turns ?? [], ...(scores && { scores }) }];
}

const answersOf = (row: Fields): Answer[] | string => (isGroup(row.record) ? groupOf(row) : onlyAnswer(row));

/** Rows without a name of their own are told apart, and grouped, by what was asked. */
function nameOf(row: Fields): string | undefined {
  const id = row.take("id", nameIn) ?? row.take("prompt_id", nameIn) ?? row.take("example_id", nameIn);
  if (id !== undefined) return id;
  const session = row.take("session_id", textIn);
  const step = row.take("step_id", nameIn);
  return session === undefined || step === undefined ? session : `${session}/step-${step}`;
}

function messagesOf(asked: unknown[], turns: unknown[]): RecordedMessage[] | string {
  // Some write the prompt into both answers once more.
  const isRepeated =
    turns.length > asked.length &&
    asked.every((turn, at) => JSON.stringify(turn) === JSON.stringify(turns[at]));
  const read = readMessages(isRepeated ? turns : [...asked, ...turns]);
  return typeof read === "string" ? `messages${read}` : read.map((message) => ({ message }));
}

/** Reads a row of any of TRL's shapes. */
export function readRow([value]: readonly unknown[]): RecordedConversation[] | string {
  const row = new Fields(value as Record<string, unknown>);
  const listed = row.take("messages", turnsBy("user"));
  const asked = listed ?? row.take("prompt", turnsBy("user")) ?? [];
  if (row.isLeft("prompt") && listed === undefined) return "prompt is neither a text nor messages";
  const answers = answersOf(row);
  if (typeof answers === "string") return answers;
  const id = nameOf(row);
  const own = objectIn(row.record.metadata);
  const about = {
    tools: row.take("tools", toolDefinitions),
    learningKey: row.take("learning_key", learningKeyIn),
    status: row.take("status", statusIn),
    groundTruth: row.take("ground_truth", textIn) ?? row.take("answer", textIn),
    agent: row.take("agent", textIn) ?? textIn(own?.agent) ?? textIn(own?.model),
  };
  const rollout = row.take("rollout", (given) => {
    const number = numberIn(given);
    return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
  });
  const isOne = answers.length === 1;
  const reward = isOne ? row.take("reward", numberIn) : undefined;
  const group = row.take("group_id", nameIn);
  const rest = row.rest();
  const found: RecordedConversation[] = [];
  for (const { turns, part, ...answer } of answers) {
    const messages = messagesOf(asked, turns);
    if (typeof messages === "string") return messages;
    const prompt = textOf(messages.find(({ message }) => message.role === "user")?.message);
    found.push({
      ...about,
      content: part === undefined ? value : { part, row: value },
      messages,
      id: id === undefined || part === undefined ? id : `${id}/${part}`,
      ...answer,
      reward: answer.reward ?? (isOne ? reward : undefined),
      rollout: rollout ?? answer.rollout,
      groupId: group ?? (part === undefined ? undefined : (id ?? prompt)),
      metadata: present({
        ...rest,
        ...(part !== undefined && { answer: part }),
      }),
    });
  }
  return found;
}

/** Rows of TRL's trainers: groups of completions, and what our exports write. */
export const trl: Format = {
  name: "trl",
  translation: 1,
  about: "TRL rows: completions with rewards, and what our TRL exports write",
  recognizes: (value) => isObject(value) && (isGroup(value) || isExported(value)),
  read: readRow,
};
