import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { contentHash } from "../exact-json.ts";
import { countIn, usageIn, withoutNulls } from "./benchmark-fields.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { momentIn, truthIn, wordsOfError } from "./verifiers-fields.ts";

type Node = Record<string, unknown>;

/** Limits of the framework; what ran into one has not come to its end. */
const LIMITS = new Set([
  "max_turns",
  "max_input_tokens",
  "max_output_tokens",
  "max_total_tokens",
  "compaction_failed",
  "timeout",
]);

/** The ways from a root to each leaf, as the places of their nodes. */
function branchesOf(nodes: readonly Node[]): number[][] {
  const parents = new Set(nodes.map(({ parent }) => parent));
  return nodes
    .map((_node, index) => index)
    .filter((index) => !parents.has(index))
    .map((leaf) => {
      const path: number[] = [];
      for (
        let at: number | undefined = leaf;
        at !== undefined && !path.includes(at);
        at = countIn(nodes[at]?.parent)
      )
        if (at < nodes.length) path.unshift(at);
      return path;
    });
}

/** The sum of the rewards, each with its weight; undefined where nothing was scored. */
function rewardOf(rewards: Record<string, unknown>): number | undefined {
  const values = Object.values(rewards).map((reward) => {
    if (!isObject(reward)) return reward === null ? undefined : numberIn(reward);
    const score = numberIn(reward.score);
    return score === undefined ? undefined : score * (numberIn(reward.weight) ?? 1);
  });
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

function endOf(trace: Node): Pick<RecordedConversation, "status" | "error"> {
  const last = wordsOfError((listIn(trace.errors) ?? []).at(-1));
  const stop = textIn(trace.stop_condition);
  if (last !== undefined && trace.ok !== true) return { status: "failed", error: last };
  if (stop !== undefined && LIMITS.has(stop)) return { status: "failed", error: `cut off by ${stop}` };
  return {};
}

/** The message of a node, with what the call that gave it took. */
function messagesOf(
  node: Node,
  call: Node | undefined,
  { timeOf }: ReadingContext,
): RecordedMessage[] | string {
  const { message, parent: _parent, ...rest } = node;
  const { node: _node, usage, ...ofCall } = call ?? {};
  const extras = present({
    node: present(withoutNulls(rest)),
    call: call === undefined ? undefined : withoutNulls({ ...ofCall, usage }),
  });
  const read = readMessages([isObject(message) ? { ...withoutNulls(message), ...extras } : message]);
  if (typeof read === "string") return read;
  const at = timeOf(momentIn(objectIn(ofCall.time)?.end) ?? momentIn(node.timestamp), "timestamp");
  return read.map((each) => ({ message: each, at, usage: usageIn(usage) }));
}

interface Branch {
  path: readonly number[];
  index: number;
  count: number;
}

function conversationOf(
  trace: Node,
  { path, index, count }: Branch,
  context: ReadingContext,
): RecordedConversation | string {
  const row = new Fields(trace);
  const nodes = row.take("nodes", listIn) as Node[];
  const listed = row.take("calls", listIn) ?? [];
  const calls = listed.filter(isObject);
  const own = row.take("tools", toolDefinitions);
  const shown = own === undefined ? toolDefinitions(nodes[path[0]!]?.tools) : undefined;
  const messages: RecordedMessage[] = [];
  for (const place of path) {
    const call = calls.find((each) => countIn(each.node) === place && each.error == null);
    const { tools, ...node } = nodes[place]!;
    const isTaken = shown !== undefined && place === path[0];
    const read = messagesOf(isTaken ? node : { ...node, tools }, call, context);
    if (typeof read === "string") return `nodes[${place}].message${read.replace("[0]", "")}`;
    for (const each of read) messages.push(each);
  }
  const onPath = new Set(path);
  const others = listed.filter(
    (each) => !isObject(each) || !onPath.has(countIn(each.node) ?? -1) || each.error != null,
  );
  const task = objectIn(trace.task) ?? {};
  const data = objectIn(task.data) ?? {};
  const timing = objectIn(trace.timing) ?? {};
  const key = nameIn(task.key) ?? nameIn(task.hash) ?? contentHash(task.data ?? null).slice(0, 12);
  const id = row.take("id", nameIn);
  const { timeOf } = context;
  return {
    content: count === 1 ? trace : { ...trace, nodes: path.map((place) => nodes[place]), branch: index },
    messages,
    id: id === undefined || count === 1 ? id : `${id}#${index}`,
    tools: own ?? shown,
    reward: rewardOf(objectIn(trace.rewards) ?? {}),
    ...endOf(trace),
    startedAt: timeOf(momentIn(timing.start), "timing.start"),
    endedAt: timeOf(momentIn(objectIn(timing.agent)?.end), "timing.agent.end"),
    agent:
      calls.map(({ model }) => textIn(model)).find((model) => model !== undefined) ??
      textIn(objectIn(trace.agent)?.name),
    groupId: [textIn(task.type) ?? "verifiers", key].join("/"),
    groundTruth: truthIn(data.answer),
    metadata: present({
      ...row.rest(),
      ...(others.length > 0 && { calls: others }),
      ...(count > 1 && { branch: index }),
    }),
  };
}

/** The conversations of a trace, one a branch; or why there is none. */
function readTrace(trace: unknown, context: ReadingContext): RecordedConversation[] | string {
  if (!isObject(trace)) return "it is not an object";
  const nodes = (listIn(trace.nodes) ?? []) as unknown[];
  if (nodes.length === 0) return "nodes is empty: nothing was said";
  if (!nodes.every(isObject)) return "nodes is not a list of objects";
  const paths = branchesOf(nodes);
  const found: RecordedConversation[] = [];
  let problem = "no node ends a branch";
  for (const [index, path] of paths.entries()) {
    const read = conversationOf(trace, { path, index, count: paths.length }, context);
    if (typeof read !== "string") found.push(read);
    else if (paths.length > 1) context.note(`branch ${index}: ${read}: it is left out`);
    if (typeof read === "string") problem = read;
  }
  return found.length === 0 ? problem : found;
}

/** The traces of an episode, of one agent or of several, with what is known of the episode. */
function readEpisode(episode: Node, context: ReadingContext): RecordedConversation[] | string {
  const { traces, ...shared } = episode;
  const listed = listIn(traces) ?? [];
  const error = wordsOfError((listIn(shared.errors) ?? []).at(-1));
  if (listed.length === 0)
    return `traces is empty: ${error === undefined ? "nothing was recorded" : "the episode broke down, as errors says"}`;
  const group = nameIn(objectIn(shared.group)?.id);
  const groupId = group && [nameIn(objectIn(shared.env)?.id) ?? "verifiers", group].join("/");
  const found: RecordedConversation[] = [];
  let problem = "";
  for (const [index, trace] of listed.entries()) {
    const read = readTrace(trace, context);
    if (typeof read === "string") {
      problem = `traces[${index}]: ${read}`;
      if (listed.length > 1) context.note(`${problem}: it is left out`);
      continue;
    }
    const { task, ...rest } = shared;
    const isSame = isObject(trace) && JSON.stringify(task) === JSON.stringify(trace.task);
    for (const each of read)
      found.push({
        ...each,
        groupId: groupId ?? each.groupId,
        metadata: { ...each.metadata, episode: isSame ? rest : shared },
      });
  }
  return found.length === 0 ? problem : found;
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const value = values[0] as Node;
  return Array.isArray(value.traces) ? readEpisode(value, context) : readTrace(value, context);
}

const isTrace = (value: unknown): boolean =>
  isObject(value) &&
  Array.isArray(value.nodes) &&
  isObject(value.task) &&
  (isObject(value.rewards) || Array.isArray(value.calls));

/** Traces of verifiers and prime-rl: messages as nodes of a graph, each branch of which is a conversation. */
export const verifiersTrace: Format = {
  name: "verifiers-trace",
  translation: 1,
  about: "traces and episodes of verifiers and prime-rl, with nodes and rewards",
  recognizes: (value) =>
    isTrace(value) ||
    (isObject(value) &&
      Array.isArray(value.traces) &&
      isObject(value.task) &&
      (value.traces.length === 0 ? isObject(value.env) : value.traces.some(isTrace))),
  read,
};
