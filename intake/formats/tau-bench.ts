import { isObject } from "../../traces/clean-text.ts";
import { type ChatMessage, textOf } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { contentHash } from "../exact-json.ts";
import { trialIn } from "./benchmark-fields.ts";
import { Fields, nameIn, numberIn, objectIn, present, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";

/**
 * Trials of one task share it. Tasks are counted from 0 in every split of every domain, so the number alone would join
 * what has nothing in common: what the task is about tells them apart.
 */
function groupOf(taskId: string | undefined, task: Fields, messages: readonly ChatMessage[]) {
  if (taskId === undefined) return undefined;
  const { user_id, instruction } = task.record;
  const policy = messages.find(({ role }) => role === "system");
  const about = instruction === undefined ? textOf(policy) : [user_id, instruction];
  return `tau-bench/${taskId}${about === undefined ? "" : `/${contentHash(about).slice(0, 8)}`}`;
}

/** What the task wants to have been done and said. */
function wantedOf(task: Fields): string | undefined {
  const { actions, outputs } = task.record;
  const wanted = present({ actions: actions ?? undefined, outputs: outputs ?? undefined });
  return wanted && JSON.stringify(wanted);
}

/** A run that broke down before anything was said is written with its error in place of the task. */
function reasonOf(info: Fields): string {
  return info.isLeft("error")
    ? "traj is empty: the trial broke down before anything was said, as info.error says"
    : "traj is empty: nothing was said in this trial";
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  const { traj, task_id } = row.record;
  const info = new Fields(objectIn(row.record.info) ?? {});
  const task = new Fields(objectIn(info.record.task) ?? {});
  if (!Array.isArray(traj)) return "traj is not a list of messages";
  if (traj.length === 0) return reasonOf(info);
  const messages = readMessages(traj);
  if (typeof messages === "string") return `traj${messages}`;
  row.drop("traj");
  const rollout = row.takeOrTell("trial", trialIn, "a whole number", context.note);
  const reward = row.takeOrTell("reward", numberIn, "a number", context.note);
  const error = textIn(info.record.error);
  return [
    {
      content: row.record,
      messages: messages.map((message) => ({ message })),
      reward,
      status: error === undefined ? undefined : "failed",
      error,
      groupId: groupOf(nameIn(task_id), task, messages),
      rollout,
      groundTruth: wantedOf(task),
      // What the simulated user was told to want stays here: the agent never saw it.
      metadata: row.rest(),
    },
  ];
}

/** Results of τ-bench: a list of trials. */
export const tauBench: Format = {
  name: "tau-bench",
  translation: 1,
  about: "results of tau-bench: a list of trials with traj and reward",
  recognizes: (value) =>
    isObject(value) && value.traj !== undefined && value.task_id !== undefined && "reward" in value,
  read,
};
