import { type LogEvent, textOr } from "./agent-log.ts";
import { answerOf, answersIn, callsIn, isMessageEvent, isPrompt } from "./claude-code-events.ts";
import { isTree, pathTo, type TreeNode } from "./event-tree.ts";

/** The events of a thread that are its conversation, and the messages that the user went back from. */
export interface ThreadPath {
  events: LogEvent[];
  left: LogEvent[];
}

/** One answer stands in several lines, and each result follows the line of its call: some are beside the path. */
function addBeside(events: readonly LogEvent[], path: Set<number>): void {
  for (let before = -1; before !== path.size; ) {
    before = path.size;
    const taken = events.filter((_, index) => path.has(index));
    const answers = new Set(taken.filter(({ type }) => type === "assistant").map(answerOf));
    const calls = new Set(taken.flatMap(callsIn));
    const answered = new Set(taken.flatMap(answersIn));
    for (const [index, event] of events.entries()) {
      if (path.has(index)) continue;
      const id = answerOf(event);
      const isSameAnswer = event.type === "assistant" && id !== undefined && answers.has(id);
      const isResult = answersIn(event).some((call) => calls.has(call) && !answered.has(call));
      if (isSameAnswer || isResult) path.add(index);
    }
  }
}

/** Finds the conversation that a thread ends with. What is no message belongs to it wherever it stands. */
export function pathOf(events: readonly LogEvent[]): ThreadPath {
  const nodes = events.map((event): TreeNode => {
    const parent = textOr(event.parentUuid, undefined) ?? textOr(event.logicalParentUuid, undefined);
    return {
      id: textOr(event.uuid, undefined),
      parent,
      isRoot: event.parentUuid === null && isPrompt(event),
    };
  });
  const leaf = events.findLastIndex(isMessageEvent);
  if (leaf === -1 || !isTree(nodes)) return { events: [...events], left: [] };
  const path = pathTo(nodes, leaf);
  addBeside(events, path);
  const isOn = (event: LogEvent, index: number): boolean => path.has(index) || !isMessageEvent(event);
  return { events: events.filter(isOn), left: events.filter((event, index) => !isOn(event, index)) };
}
