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
import type {
  Format,
  ReadingContext,
  RecordedConversation,
  RecordedMessage,
  RecordedScore,
} from "./format.ts";

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
  tags?: string[];
  /** Which of the row's answers it is. */
  part?: string;
}

const isListed = (value: unknown): boolean => Array.isArray(listIn(value));

const isPair = (row: Record<string, unknown>): boolean =>
  row.chosen !== undefined && row.rejected !== undefined && row.conversations === undefined;
const isGroup = (row: Record<string, unknown>): boolean =>
  row.prompt !== undefined && isListed(row.completions);
const isLabelled = (row: Record<string, unknown>): boolean =>
  row.prompt !== undefined && row.completion !== undefined && typeof row.label === "boolean";
/** Columns that our own exports have. */
export const isExported = (row: Record<string, unknown>): boolean =>
  typeof row.session_id === "string" &&
  row.step_id !== undefined &&
  "learning_key" in row &&
  (isListed(row.messages) || (isListed(row.prompt) && isListed(row.completion)));

const preference = (score: number): RecordedScore[] => [{ judge: "preference", score }];

/** The chosen and the rejected answer: what they scored is theirs, the reward of a session is the chosen one's. */
function pairOf(row: Fields): Answer[] | string {
  const scoreOf = (which: string): number | undefined =>
    row.take(`score_${which}`, numberIn) ?? row.take(`${which}_score`, numberIn);
  const answers: Answer[] = [];
  for (const part of ["chosen", "rejected"] as const) {
    const turns = row.take(part, turnsBy("assistant"));
    if (turns === undefined) return `${part} is neither a text nor messages`;
    const isChosen = part === "chosen";
    const reward = scoreOf(part);
    answers.push({
      turns,
      part,
      reward,
      ...(reward === undefined && { scores: preference(isChosen ? 1 : 0) }),
      rollout: isChosen ? 0 : 1,
      tags: isChosen ? [] : ["rejected"],
    });
  }
  return answers;
}

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

const answersOf = (row: Fields): Answer[] | string =>
  isPair(row.record) ? pairOf(row) : isGroup(row.record) ? groupOf(row) : onlyAnswer(row);

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
export function readRow(
  [value]: readonly unknown[],
  { note }: ReadingContext,
): RecordedConversation[] | string {
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
  const reward = isOne || isPair(row.record) ? row.take("reward", numberIn) : undefined;
  const group = row.take("group_id", nameIn);
  const rest = row.rest();
  const found: RecordedConversation[] = [];
  for (const { turns, part, tags = [], ...answer } of answers) {
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
      tags,
      metadata: present({
        ...rest,
        ...(part !== undefined && { answer: part }),
        // The reward of a pair is that of the session which it was made of.
        ...(!isOne && reward !== undefined && { reward }),
      }),
    });
  }
  if (isPair(row.record))
    note(
      "the rejected answer of a pair is a session of its own, tagged rejected: approve it only where pairs are wanted",
    );
  return found;
}

/** Rows of TRL's trainers, ours among them: preferences, groups of completions, labels, and what our exports write. */
export const trl: Format = {
  name: "trl",
  translation: 1,
  about: "TRL rows: chosen and rejected, completions with rewards, labels, and what our TRL exports write",
  recognizes: (value) =>
    isObject(value) && (isPair(value) || isGroup(value) || isLabelled(value) || isExported(value)),
  read: readRow,
};
