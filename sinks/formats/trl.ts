import { jsonValue } from "../../traces/clean-text.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { Feature, Features } from "../datasets/features.ts";
import type { ChatMessage, ChatToolCall } from "./chat-message.ts";
import { type Conversation, conversationsOf, wholeConversation } from "./conversation.ts";
import { recordFormat } from "./record-format.ts";

/** The type of calls of tools; lists and what is in them may be null. */
export const callsFeature = (args: Feature): Feature => ({
  list: {
    struct: { id: "string", type: "string", function: { struct: { name: "string", arguments: args } } },
  },
});

/** What may be chosen of every format for TRL. */
export const TRL_CHOICES = { arguments: ["object", "text"], reasoning: ["no", "yes"] } as const;

/** What was chosen of these. */
export type TrlChosen = { [Name in keyof typeof TRL_CHOICES]: (typeof TRL_CHOICES)[Name][number] };

/** A call with its arguments as an object, which chat templates write out; as text they would be encoded twice. */
const withObject = ({ id, type, function: called }: ChatToolCall) => ({
  id,
  type,
  function: { name: called.name, arguments: jsonValue(called.arguments) ?? {} },
});

/** Writes messages with the same keys for every role. */
export const rowsBy =
  (chosen: TrlChosen) =>
  ({ role, content, tool_calls, tool_call_id, reasoning }: ChatMessage) => ({
    role,
    content,
    ...(chosen.reasoning === "yes" && { reasoning_content: reasoning ?? "" }),
    tool_calls:
      tool_calls.length === 0 ? null : chosen.arguments === "text" ? tool_calls : tool_calls.map(withObject),
    tool_call_id,
  });

/** The type of {@link rowsBy}'s messages. */
export const messagesBy = (chosen: TrlChosen): Feature => ({
  list: {
    struct: {
      role: "string",
      content: "string",
      ...(chosen.reasoning === "yes" && { reasoning_content: "string" }),
      tool_calls: callsFeature(chosen.arguments === "text" ? "string" : "json"),
      tool_call_id: "string",
    },
  },
});

/** What a trainer may select by; the tools are JSON text, since the schemas of two tools are not of one type. */
export function commonOf(trace: SessionTrace, { stepId, tools }: Pick<Conversation, "stepId" | "tools">) {
  const own = trace.reward?.steps.find(({ step_id }) => step_id === stepId);
  return {
    tools: tools.length === 0 ? null : JSON.stringify(tools),
    session_id: trace.session_id,
    step_id: stepId,
    learning_key: trace.started?.learning_key ?? null,
    /** The step's own where judges scored it, else its session's. */
    reward: own?.score ?? trace.reward?.score ?? null,
  };
}

/** The types of {@link commonOf}. */
export const COMMON: Features = {
  tools: "string",
  session_id: "string",
  step_id: "int64",
  learning_key: "string",
  reward: "float64",
};

/** TRL's conversational language modelling: `messages`, whole. */
export const trlMessages = recordFormat({
  name: "trl-messages",
  about: "A record is a conversation, for SFT with TRL.",
  choices: TRL_CHOICES,
  features: (chosen) => ({ messages: messagesBy(chosen), ...COMMON }),
  records: (trace, chosen) => {
    const found = conversationsOf(trace, { rejected: "leave-out" });
    if (typeof found === "string") return found;
    return found.map((conversation) => ({
      messages: [...conversation.prompt, ...conversation.completion].map(rowsBy(chosen)),
      ...commonOf(trace, conversation),
    }));
  },
});

/**
 * TRL's conversational prompt and completion: a record for every turn of the agent, calls of tools too, with all that
 * came before it as its prompt. With `turns=last` only the last answer is one.
 */
export const trlPromptCompletion = recordFormat({
  name: "trl-prompt-completion",
  about: "A record is a turn of the agent after its prompt, for SFT with TRL.",
  choices: { ...TRL_CHOICES, turns: ["each", "last"], rejected: ["leave-out", "prompt"] },
  features: (chosen) => ({ prompt: messagesBy(chosen), completion: messagesBy(chosen), ...COMMON }),
  records: (trace, chosen) => {
    const found = conversationsOf(trace, { rejected: chosen.rejected === "prompt" ? "keep" : "leave-out" });
    if (typeof found === "string") return found;
    return found.flatMap((conversation) => {
      const { prompt, completion } = conversation;
      const messages = [...prompt, ...completion].map(rowsBy(chosen));
      const turns = completion.flatMap(({ role }, index) =>
        role === "assistant" ? [prompt.length + index] : [],
      );
      return (chosen.turns === "last" ? turns.slice(-1) : turns).map((at) => ({
        prompt: messages.slice(0, at),
        completion: [messages[at]],
        ...commonOf(trace, conversation),
      }));
    });
  },
});

/** Rollouts of one task with their rewards: those with the same `group_id` belong together. */
export const trlRollouts = recordFormat({
  name: "trl-rollouts",
  about: "A record is a session of a group of rollouts, with its reward.",
  choices: TRL_CHOICES,
  features: (chosen) => ({
    group_id: "string",
    rollout: "int64",
    prompt: messagesBy(chosen),
    completion: messagesBy(chosen),
    status: "string",
    ground_truth: "string",
    ...COMMON,
  }),
  records: (trace, chosen) => {
    const { group_id, rollout } = trace.started ?? {};
    if (group_id == null) return "no-group";
    if (trace.reward === null) return "no-reward";
    const conversation = wholeConversation(trace);
    if (typeof conversation === "string") return conversation;
    return [
      {
        group_id,
        rollout: rollout ?? null,
        prompt: conversation.prompt.map(rowsBy(chosen)),
        completion: conversation.completion.map(rowsBy(chosen)),
        status: trace.status,
        ground_truth: trace.started?.ground_truth ?? null,
        ...commonOf(trace, conversation),
      },
    ];
  },
});

/**
 * TRL's unpaired preferences: what a person approved is wanted, what a person or a rule quarantined is not. Sessions
 * that nobody decided on have no label.
 */
export const trlKto = recordFormat({
  name: "trl-kto",
  about: "A record is a conversation that is wanted, or one that is not, for KTO with TRL.",
  choices: TRL_CHOICES,
  features: (chosen) => ({
    prompt: messagesBy(chosen),
    completion: messagesBy(chosen),
    label: "bool",
    ...COMMON,
  }),
  records: (trace, chosen) => {
    const { review_status } = trace;
    if (review_status !== "approved" && review_status !== "quarantined") return "not-decided";
    const found = conversationsOf(trace, { rejected: "leave-out" });
    if (typeof found === "string") return found;
    return found.map((conversation) => ({
      prompt: conversation.prompt.map(rowsBy(chosen)),
      completion: conversation.completion.map(rowsBy(chosen)),
      label: review_status === "approved",
      ...commonOf(trace, conversation),
    }));
  },
});
