import type { Thread } from "./threads.ts";
import type { Work } from "./work.ts";
import type { WorkTree } from "./work-tree.ts";

const longest = (threads: readonly Thread[]): Thread =>
  threads.reduce((best, thread) => (thread.messages.length >= best.messages.length ? thread : best));

const isOneAnswer = ({ calls, messages }: Thread): boolean =>
  calls.length === 1 && messages.every(({ message }) => !message.tool_calls?.length);

const lowestOf = (depths: readonly number[]): number =>
  depths.reduce((lowest, depth) => Math.min(lowest, depth), Number.POSITIVE_INFINITY);

/** The thread of the agent that the trace is of: not of an agent that was asked by a tool, nor of one within it. */
export function mainThread(threads: readonly Thread[], tree: WorkTree): Thread {
  const least = (of: readonly Thread[], depth: (work: Work) => number): Thread[] => {
    const depths = of.map(({ calls }) => lowestOf(calls.map(({ work }) => depth(work))));
    const lowest = lowestOf(depths);
    return of.filter((_, index) => depths[index] === lowest);
  };
  const own = least(threads, (work) => tree.above(work, "tool"));
  const outer = longest(least(own, (work) => tree.above(work, "agent")));
  const any = longest(own);
  // An agent that only chose another one said little itself.
  return isOneAnswer(outer) && any.messages.length > outer.messages.length ? any : outer;
}
