import type { SessionStatus } from "../../schemas/vocabulary.ts";
import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { usageIn } from "./usage-in.ts";

const CANCELLED = /interrupt|cancel/i;

/** How the agent says that it ended; what it submitted is not known to be right. */
const statusOf = (exit: string | undefined): SessionStatus | undefined => {
  if (exit === undefined) return undefined;
  if (CANCELLED.test(exit)) return "cancelled";
  return exit === "Submitted" ? "succeeded" : "failed";
};

/** The message with which the agent tells itself that it is over: nobody said it. */
const isExit = (value: unknown): boolean => isObject(value) && value.role === "exit";

/** The messages of one entry, with its time, its cost and its tokens: an object of Responses holds several. */
function entryMessages(
  entry: unknown,
  index: number,
  { timeOf, note }: ReadingContext,
): RecordedMessage[] | string {
  if (!isObject(entry)) return `messages[${index}] is not an object`;
  const { output, object: _, ...about } = entry;
  const items = entry.role === undefined ? listIn(output) : undefined;
  const read = readMessages(items ?? [entry]);
  if (typeof read === "string")
    return items === undefined
      ? `messages${read.replace(/^\[0\]/, `[${index}]`)}`
      : `messages[${index}].output${read}`;
  const extra = objectIn(entry.extra);
  const response = objectIn(extra?.response);
  const at = timeOf(entry.timestamp ?? extra?.timestamp, `messages[${index}].timestamp`);
  const last = read.findLastIndex(({ role }) => role === "assistant");
  return read.map((message, place) => {
    const isCall = place === last;
    const own = items !== undefined && isCall ? { ...about, ...message } : message;
    if (extra === undefined && entry.extra != null && place === 0)
      note(`messages[${index}].extra is not an object`);
    return {
      message: own,
      at,
      usage: isCall ? (usageIn(response?.usage) ?? usageIn(entry.usage)) : undefined,
      cost: isCall ? numberIn(extra?.cost) : undefined,
    };
  });
}

function read([value]: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  if (!isObject(value)) return "it is not an object with messages";
  const row = new Fields(value);
  const entries = row.take("messages", listIn);
  if (entries === undefined) return "messages is not a list of messages";
  const messages: RecordedMessage[] = [];
  for (const [index, entry] of entries.entries()) {
    if (isExit(entry)) continue;
    const read = entryMessages(entry, index, context);
    if (typeof read === "string") return read;
    for (const each of read) messages.push(each);
  }
  const exits = entries.filter(isExit);
  if (messages.length === 0) return "messages is empty";
  const info = new Fields(row.take("info", objectIn) ?? {});
  const stats = new Fields(info.take("model_stats", objectIn) ?? {});
  const exit = textIn(info.record.exit_status);
  const status = statusOf(exit);
  const instance = row.take("instance_id", nameIn) ?? info.take("instance_id", nameIn);
  const cost = stats.take("instance_cost", numberIn);
  return [
    {
      content: value,
      messages,
      id: instance,
      groupId: instance,
      agent: "mini-swe-agent",
      status,
      error: status === "failed" ? exit : undefined,
      cost,
      metadata: present({
        ...row.rest(),
        info: present({ ...info.rest(), model_stats: stats.rest() }),
        exit: exits.length === 0 ? undefined : exits,
      }),
    },
  ];
}

const isTrajectory = ({ messages, trajectory_format, info }: Record<string, unknown>): boolean => {
  if (!Array.isArray(messages)) return false;
  if (typeof trajectory_format === "string") return trajectory_format.startsWith("mini-swe-agent");
  return isObject(info) && ("mini_version" in info || ("exit_status" in info && "submission" in info));
};

/** What mini-swe-agent writes as `.traj.json`; its older form is a bare array of messages. */
export const miniSweAgent: Format = {
  name: "mini-swe-agent",
  translation: 1,
  about: "trajectories of mini-swe-agent (.traj.json)",
  recognizes: (value) => isObject(value) && isTrajectory(value),
  read,
};
