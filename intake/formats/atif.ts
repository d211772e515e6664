import { isObject } from "../../traces/clean-text.ts";
import { textOf } from "../chat/message.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { stepMessages } from "./atif-steps.ts";
import {
  Fields,
  learningKeyIn,
  listIn,
  nameIn,
  numberIn,
  objectIn,
  present,
  statusIn,
  textIn,
  textsIn,
} from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";

/** Whose sub-agent a trajectory is of. */
interface Parent {
  id: string | undefined;
  /** The call that it was started by, by the id of the trajectory. */
  calls: ReadonlyMap<string, string>;
}

const whole = (value: unknown): number | undefined => {
  const number = numberIn(value);
  return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};

/** What Atlas keeps of a session where the format has no place for it. */
function atlasOf(extra: Fields) {
  const atlas = new Fields(extra.take("atlas", objectIn) ?? {});
  const conversation = {
    reward: atlas.take("reward", numberIn) ?? extra.take("reward", numberIn),
    status: atlas.take("status", statusIn),
    task: atlas.take("task", textIn),
    groupId: atlas.take("group_id", nameIn),
    rollout: atlas.take("rollout", whole),
    groundTruth: atlas.take("ground_truth", textIn),
    learningKey: atlas.take("learning_key", learningKeyIn),
    tags: atlas.take("tags", textsIn),
  };
  return { conversation, rest: atlas.rest() };
}

/** What all of it took, where that was summed up. */
function totalsOf(trajectory: Fields) {
  const totals = new Fields(trajectory.take("final_metrics", objectIn) ?? {});
  const usage = present({
    prompt: totals.take("total_prompt_tokens", numberIn),
    completion: totals.take("total_completion_tokens", numberIn),
    cached: totals.take("total_cached_tokens", numberIn),
  });
  const cost = totals.take("total_cost_usd", numberIn);
  return { usage, cost, rest: totals.rest() };
}

/** Which call started which trajectory. */
function startedIn(messages: readonly RecordedMessage[]): Map<string, string> {
  const calls = new Map<string, string>();
  for (const { message } of messages) {
    for (const reference of listIn(message.subagent_trajectory_ref) ?? []) {
      if (!isObject(reference) || typeof message.tool_call_id !== "string") continue;
      for (const name of [reference.trajectory_id, reference.session_id])
        if (typeof name === "string") calls.set(name, message.tool_call_id);
    }
  }
  return calls;
}

const COPIED =
  "steps that are copied from another trajectory stay, marked is_copied_context, and the session is tagged copied-context: they are not to be trained on";

/** The task of a trajectory in which no user speaks. */
function firstWords(messages: readonly RecordedMessage[]): string | undefined {
  if (messages.some(({ message }) => message.role === "user" && textOf(message))) return undefined;
  return textOf(messages.find(({ message }) => message.role !== "assistant" && textOf(message))?.message);
}

/** The conversation of a trajectory, and those of its sub-agents. */
function readTrajectory(
  value: Record<string, unknown>,
  context: ReadingContext,
  parent?: Parent,
): RecordedConversation[] | string {
  const { subagent_trajectories, ...content } = value;
  const trajectory = new Fields(content);
  const steps = trajectory.take("steps", listIn);
  if (steps === undefined) return "steps is missing, or is no list";
  const messages: RecordedMessage[] = [];
  const left: unknown[] = [];
  for (const [index, step] of steps.entries()) {
    const read = stepMessages(step, `steps[${index}]`, context);
    if (typeof read !== "string") for (const each of read) messages.push(each);
    else {
      left.push(step);
      context.note(`${read}: the step is kept with the metadata`);
    }
  }
  if (messages.length === 0) return "steps holds no step of system, user or agent";
  const isCopied = messages.some(({ message }) => message.is_copied_context === true);
  if (isCopied) context.note(COPIED);
  const own = trajectory.take("trajectory_id", nameIn) ?? trajectory.take("session_id", nameIn);
  const id = parent?.id === undefined ? own : own === undefined ? undefined : `${parent.id}/${own}`;
  const agent = new Fields(trajectory.take("agent", objectIn) ?? {});
  const extra = new Fields(trajectory.take("extra", objectIn) ?? {});
  const { conversation, rest: atlas } = atlasOf(extra);
  const totals = totalsOf(trajectory);
  const name = agent.take("name", textIn);
  const tags = [
    ...(conversation.tags ?? []),
    ...(parent === undefined ? [] : ["subagent"]),
    ...(isCopied ? ["copied-context"] : []),
  ];
  const subagents = listIn(subagent_trajectories) ?? [];
  const found: RecordedConversation = {
    ...conversation,
    content: parent === undefined ? content : { parent: parent.id, ...content },
    messages,
    id,
    task: conversation.task ?? firstWords(messages),
    tools: agent.take("tool_definitions", toolDefinitions),
    agent: name ?? textIn(agent.record.model_name),
    tags,
    usage: totals.usage,
    cost: totals.cost,
    metadata: present({
      agent: agent.rest(),
      extra: present({ ...extra.rest(), atlas }),
      final_metrics: totals.rest,
      steps: left.length === 0 ? undefined : left,
      subagents:
        subagents.length === 0
          ? undefined
          : subagents.map((each) => (isObject(each) ? (each.trajectory_id ?? each.session_id) : null)),
      subagent_of:
        parent === undefined
          ? undefined
          : present({ trajectory: parent.id, call: parent.calls.get(own ?? "") }),
      // What is not as it should be stands under its own name.
      ...trajectory.rest(),
    }),
  };
  const all = [found];
  const started: Parent = { id, calls: startedIn(messages) };
  for (const [index, each] of subagents.entries()) {
    const read = isObject(each) ? readTrajectory(each, context, started) : "it is no object";
    if (typeof read !== "string") for (const each of read) all.push(each);
    else context.note(`subagent_trajectories[${index}] is left out: ${read}`);
  }
  return all;
}

/** Trajectories in the Agent Trajectory Interchange Format, as Harbor writes them: a session each, sub-agents too. */
export const atif: Format = {
  name: "atif",
  translation: 1,
  about: "ATIF trajectories, versions 1.0 to 1.8: a session each, and one for each sub-agent in it",
  recognizes: (value) =>
    isObject(value) && typeof value.schema_version === "string" && /^ATIF\b/i.test(value.schema_version),
  read: ([value], context) => readTrajectory(value as Record<string, unknown>, context),
};
