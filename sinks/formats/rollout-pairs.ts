import type { SessionTrace } from "../../traces/session-trace.ts";
import { type Conversation, type NoConversation, wholeConversation } from "./conversation.ts";
import type { ChatTool } from "./tools.ts";
import { commonOf, rowsBy, type TrlChosen } from "./trl.ts";

/** Why a session of a group is in no pair of it. */
export type Unpaired =
  | NoConversation
  | "no-reward"
  | "alone-in-group"
  | "other-prompt"
  | "near-tie"
  | "same-answer"
  | "neither-best-nor-worst";

/** What came of a group. */
export interface RolloutPairs {
  pairs: object[];
  /** Of each session that is in no pair. */
  reasons: Map<SessionTrace, Unpaired>;
}

/** Rewards that lie nearer together do not say which answer is better. */
const LEAST_GAP = 0.1;
/** 0.3 - 0.2 is a little less than 0.1. */
const ROUNDING = 1e-9;

interface Rollout {
  trace: SessionTrace;
  reward: number;
  conversation: Conversation;
}

/** Tools of both: each has those that it called besides what was offered. */
const toolsOfBoth = (a: Conversation, b: Conversation): ChatTool[] => [
  ...new Map([...b.tools, ...a.tools].map((tool) => [tool.function.name, tool])).values(),
];

/** Those that can be compared, and why the others cannot. */
function comparable(traces: readonly SessionTrace[], reasons: RolloutPairs["reasons"]): Rollout[] {
  const found: Rollout[] = [];
  for (const trace of traces) {
    const conversation = wholeConversation(trace);
    if (trace.reward === null) reasons.set(trace, "no-reward");
    else if (typeof conversation === "string") reasons.set(trace, conversation);
    else found.push({ trace, reward: trace.reward.score, conversation });
  }
  return found;
}

/**
 * Pairs of a group of rollouts: of those with one prompt, the best against the worst, where their rewards are at least 0.1
 * apart. Of equally good ones the first counts, of equally bad ones the last.
 */
export function rolloutPairs(traces: readonly SessionTrace[], chosen: TrlChosen): RolloutPairs {
  const asRow = rowsBy(chosen);
  const reasons: RolloutPairs["reasons"] = new Map();
  const pairs: object[] = [];
  const byPrompt = Map.groupBy(comparable(traces, reasons), ({ conversation }) =>
    JSON.stringify(conversation.prompt.map(asRow)),
  );
  for (const rollouts of byPrompt.values()) {
    const leaveOut = (of: readonly Rollout[], reason: Unpaired): void => {
      for (const { trace } of of) reasons.set(trace, reason);
    };
    const sorted = rollouts.toSorted((a, b) => b.reward - a.reward);
    const [best, worst] = [sorted[0]!, sorted.at(-1)!];
    if (sorted.length === 1) {
      leaveOut(sorted, byPrompt.size === 1 ? "alone-in-group" : "other-prompt");
      continue;
    }
    if (best.reward - worst.reward < LEAST_GAP - ROUNDING) {
      leaveOut(sorted, "near-tie");
      continue;
    }
    const [right, wrong] = [best, worst].map(({ conversation }) => conversation.completion.map(asRow));
    if (JSON.stringify(right) === JSON.stringify(wrong)) {
      leaveOut(sorted, "same-answer");
      continue;
    }
    leaveOut(sorted.slice(1, -1), "neither-best-nor-worst");
    pairs.push({
      prompt: best.conversation.prompt.map(asRow),
      chosen: right,
      rejected: wrong,
      guidance: [],
      chosen_attempt: null,
      rejected_attempt: null,
      ...commonOf(best.trace, { stepId: null, tools: toolsOfBoth(best.conversation, worst.conversation) }),
      group_id: best.trace.started?.group_id ?? null,
      rejected_session_id: worst.trace.session_id,
      rejected_reward: worst.reward,
    });
  }
  return { pairs, reasons };
}
