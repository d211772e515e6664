import type { ToolDefinition } from "../chat/tool-definitions.ts";
import type { ReadingContext, RecordedConversation, RecordedMessage } from "../formats/format.ts";
import { Known, withoutEmpty } from "./known.ts";
import { joined, spansOf } from "./leftover.ts";
import { mainThread } from "./main-thread.ts";
import { type ModelCall, modelCallOf } from "./model-call.ts";
import { withResults } from "./supply-results.ts";
import { type Thread, threadsOf } from "./threads.ts";
import type { Work } from "./work.ts";
import { WorkTree } from "./work-tree.ts";

/** What a trace comes to, but for what only its format knows. */
export type TraceConversation = Omit<RecordedConversation, "content">;

/** What stands around the spans of a trace. */
export interface TraceOptions {
  /** The trace as a whole, where it is recorded apart from its spans. */
  trace?: Work | undefined;
  /** What the spans are called in the metadata; `spans` unless told. */
  called?: string | undefined;
}

/** The calls of the model that tell of the conversation; where none does, what the agent as a whole was asked. */
function callsOf(tree: WorkTree, trace: Work | undefined, { note }: ReadingContext): ModelCall[] {
  const read = (work: Work): ModelCall[] => {
    const call = modelCallOf(work, note);
    return call === undefined ? [] : [call];
  };
  const calls = tree.works.filter(({ kind }) => kind === "model").flatMap(read);
  const askers = tree.askersOf(calls.map(({ work }) => work));
  const inner = calls.filter(({ work }) => !askers.has(work));
  if (inner.length > 0) return inner;
  const others = tree.works.filter(({ kind }) => kind === "agent" || kind === "other");
  const outermost = others.toSorted((a, b) => tree.depthOf(a) - tree.depthOf(b));
  const whole = [...(trace === undefined ? [] : [trace]), ...outermost]
    .flatMap(read)
    .find(({ asked, answered }) => asked.length > 0 && answered.length > 0);
  return whole === undefined ? [] : [whole];
}

/** Runs of tools: what is said to be one, and what is called as a tool that was asked for. */
function runsOf(tree: WorkTree, { messages }: Thread): Work[] {
  const asked = messages
    .flatMap(({ message }) => message.tool_calls ?? [])
    .map((call) => call.function?.name);
  const names = new Set(asked);
  return tree.works.filter(
    ({ kind, tool }) => kind === "tool" || (kind === "other" && tool !== undefined && names.has(tool.name)),
  );
}

function toolsOf(calls: readonly ModelCall[]): ToolDefinition[] | undefined {
  const byName = new Map<string, ToolDefinition>();
  for (const { work } of calls)
    for (const tool of work.said.tools ?? [])
      byName.set(tool.function?.name ?? String(tool.name ?? tool.type), tool);
  return byName.size === 0 ? undefined : [...byName.values()];
}

const least = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : known.reduce((one, other) => Math.min(one, other));
};

const greatest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : known.reduce((one, other) => Math.max(one, other));
};

/**
 * The conversation that a trace was: the longest thread of its agent's calls of the model. Runs of tools supply the
 * results that no call tells of. Calls of other agents, and all else that the spans hold, stay in the metadata.
 *
 * @returns undefined where no span tells what was said
 */
export function traceConversation(
  given: readonly Work[],
  context: ReadingContext,
  { trace, called = "spans" }: TraceOptions = {},
): TraceConversation | undefined {
  const tree = new WorkTree(given);
  const calls = callsOf(tree, trace, context);
  if (calls.length === 0) return undefined;
  const thread = mainThread(threadsOf(calls), tree);
  if (calls.length > thread.calls.length)
    context.note(
      `calls of a model that are no part of its trace's conversation (other agents, other attempts): they are kept with the metadata`,
    );
  const tools = runsOf(tree, thread);
  const said: RecordedMessage[] = [
    ...thread.system.map((message): RecordedMessage => ({ message })),
    ...withResults(thread.messages, tools),
  ];
  const last = thread.calls.at(-1)!;
  const whole = trace ?? tree.roots[0]!;
  const failed = [whole, ...tree.roots.slice(0, 1), last.work].find(({ error }) => error !== undefined);
  const definitions = toolsOf(thread.calls) ?? toolsOf(calls);
  const known = new Known();
  known.add(said.map(({ message }) => message));
  known.add(definitions);
  const ofWhole = new Set([whole, ...tree.roots, ...thread.calls.map(({ work }) => work)]);
  const judged = [...ofWhole].flatMap(({ scores = [] }) => scores);
  return {
    messages: said,
    id: whole.traceId,
    tools: definitions,
    scores: judged.length === 0 ? undefined : judged,
    status: failed === undefined ? undefined : "failed",
    error: failed?.error || undefined,
    startedAt: least([whole, ...tree.works].map(({ start }) => start)),
    endedAt: greatest([whole, ...tree.works].map(({ end }) => end)),
    agent: tree.agentOf(last.work) ?? last.work.model,
    metadata: withoutEmpty({
      ...(trace !== undefined && { trace: joined(trace.rest, known.unknownOf(trace.spoken)) }),
      ...spansOf(tree.works, known, called),
    }),
  };
}
