import type { SessionTrace } from "../../traces/session-trace.ts";
import type { ChatMessage } from "./chat-message.ts";
import { type Conversation, conversationsOf, wholeConversation } from "./conversation.ts";
import { recordFormat } from "./record-format.ts";

/** The same keys for every role, so that a table has one type for each path. */
export const asRow = ({ role, content, tool_calls, tool_call_id }: ChatMessage) => ({
  role,
  content,
  tool_calls: tool_calls.length === 0 ? null : tool_calls,
  tool_call_id,
});

/** What a trainer may select by; the tools are JSON text, since the schemas of two tools are not of one type. */
export const commonOf = (trace: SessionTrace, { stepId, tools }: Pick<Conversation, "stepId" | "tools">) => ({
  tools: tools.length === 0 ? null : JSON.stringify(tools),
  session_id: trace.session_id,
  step_id: stepId,
  learning_key: trace.started?.learning_key ?? null,
  reward: trace.reward?.score ?? null,
});

/** TRL's conversational language modelling: `messages`, whole. */
export const trlMessages = recordFormat("trl-messages", (trace) => {
  const found = conversationsOf(trace);
  if (typeof found === "string") return found;
  return found.map((conversation) => ({
    messages: [...conversation.prompt, ...conversation.completion].map(asRow),
    ...commonOf(trace, conversation),
  }));
});

/** TRL's conversational prompt and completion: the completion is the last answer, the prompt all before it. */
export const trlPromptCompletion = recordFormat("trl-prompt-completion", (trace) => {
  const found = conversationsOf(trace);
  if (typeof found === "string") return found;
  return found.map((conversation) => {
    const messages = [...conversation.prompt, ...conversation.completion].map(asRow);
    return {
      prompt: messages.slice(0, -1),
      completion: messages.slice(-1),
      ...commonOf(trace, conversation),
    };
  });
});

/** Rollouts of one task with their rewards: those with the same `group_id` belong together. */
export const trlRollouts = recordFormat("trl-rollouts", (trace) => {
  const { group_id, rollout } = trace.started ?? {};
  if (group_id == null) return "no-group";
  if (trace.reward === null) return "no-reward";
  const conversation = wholeConversation(trace);
  if (typeof conversation === "string") return conversation;
  return [
    {
      group_id,
      rollout: rollout ?? null,
      prompt: conversation.prompt.map(asRow),
      completion: conversation.completion.map(asRow),
      status: trace.status,
      ground_truth: trace.started?.ground_truth ?? null,
      ...commonOf(trace, conversation),
    },
  ];
});
