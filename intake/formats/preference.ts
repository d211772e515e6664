import { isObject } from "../../traces/clean-text.ts";
import { contentHash } from "../exact-json.ts";
import { Fields, nameIn, objectIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";
import { allSaid, answersIn, takeAsked, trainingConversation, trainingMessages } from "./training-rows.ts";

/** The names under which pairs are kept: the better answer, and the worse. */
const PAIRS = [
  ["chosen", "rejected"],
  ["chosen_messages", "rejected_messages"],
  ["preferred_output", "non_preferred_output"],
] as const;

const pairIn = (value: Record<string, unknown>) =>
  PAIRS.find((names) => names.every((name) => value[name] != null));

interface Side {
  name: string;
  other: string;
  reward: number;
  rollout: number;
}

/** One answer of a pair, as the conversation that it ends. */
function sideOf(
  value: Record<string, unknown>,
  { name, other, reward, rollout }: Side,
  context: ReadingContext,
): RecordedConversation | string {
  const { [other]: _, ...own } = value;
  const row = new Fields(own);
  const answer = row.take(name, answersIn);
  if (answer === undefined || answer.length === 0) return `${name} is neither a text nor a list of messages`;
  const request = objectIn(row.record.input);
  const messages = trainingMessages(allSaid(takeAsked(row) ?? [], answer));
  if (typeof messages === "string") return messages.replace(/^conversations/, name);
  // A request holds its tools beside its messages, and is used up but for the rest.
  const inner = new Fields(Array.isArray(request?.messages) ? request : {});
  inner.drop("messages");
  const offered = inner.take("tools", (tools) => tools);
  const source = new Fields({ ...row.rest(), ...(offered !== undefined && { tools: offered }) });
  if (request !== undefined && Array.isArray(request.messages)) source.replace("input", inner.rest());
  const conversation = trainingConversation(source, messages, context);
  const id = nameIn(value.id);
  return {
    ...conversation,
    content: own,
    id: id === undefined ? undefined : `${id}-${name}`,
    groupId: id ?? `pair-${contentHash(value).slice(0, 16)}`,
    rollout,
    reward,
    metadata: { preference: name, ...conversation.metadata },
  };
}

/** Pairs of a better and a worse answer, as DPO and reward models are trained with: two sessions of one group. */
export const preference: Format = {
  name: "preference",
  translation: 1,
  about: "pairs of a chosen and a rejected answer: two sessions of one group, rewarded 1 and 0",
  recognizes: (value) => isObject(value) && pairIn(value) !== undefined,
  read: ([value], context) => {
    const names = isObject(value) ? pairIn(value) : undefined;
    if (!isObject(value) || names === undefined) return "chosen or rejected is missing";
    const [better, worse] = names;
    const chosen = sideOf(value, { name: better, other: worse, reward: 1, rollout: 0 }, context);
    if (typeof chosen === "string") return chosen;
    const rejected = sideOf(value, { name: worse, other: better, reward: 0, rollout: 1 }, context);
    return typeof rejected === "string" ? rejected : [chosen, rejected];
  },
};
