import type { Features } from "../datasets/features.ts";
import type { ChatMessage } from "./chat-message.ts";
import { conversationsOf } from "./conversation.ts";
import { recordFormat } from "./record-format.ts";
import { callsFeature } from "./trl.ts";

/** Schemas of arguments are of no one type. */
const TOOLS: Features = {
  type: "string",
  function: { struct: { name: "string", description: "string", parameters: "json", strict: "bool" } },
};

/** Fields that the API knows of this role, and no others: it refuses unknown ones. */
function asApi({ role, content, tool_calls, tool_call_id }: ChatMessage): object {
  if (role === "tool") return { role, tool_call_id, content };
  if (tool_calls.length === 0) return { role, content };
  return { role, content: content === "" ? null : content, tool_calls };
}

/**
 * Lines for the fine-tuning API of OpenAI and of those who speak like it: `messages`, and `tools` where some were
 * offered or called. What a teacher rejected is left out, or with `rejected=weight` in it with a weight of 0.
 */
export const openaiChat = recordFormat({
  name: "openai-chat",
  about: "A record is a conversation, for the fine-tuning API of OpenAI and those like it.",
  choices: { rejected: ["leave-out", "weight"], reasoning: ["no", "yes"] },
  features: ({ rejected, reasoning }) => ({
    messages: {
      list: {
        struct: {
          role: "string",
          content: "string",
          ...(reasoning === "yes" && { reasoning_content: "string" }),
          tool_calls: callsFeature("string"),
          tool_call_id: "string",
          ...(rejected === "weight" && { weight: "int64" }),
        },
      },
    },
    tools: { list: { struct: TOOLS } },
  }),
  records: (trace, { rejected, reasoning }) => {
    const found = conversationsOf(trace, { rejected: rejected === "weight" ? "keep" : "leave-out" });
    if (typeof found === "string") return found;
    return found.map(({ prompt, completion, tools }) => {
      const written = (message: ChatMessage): object => ({
        ...asApi(message),
        ...(reasoning === "yes" && message.reasoning !== null && { reasoning_content: message.reasoning }),
      });
      // Answers in the prompt are what a teacher rejected: they are read, not learned.
      const unlearned = (message: ChatMessage): object =>
        message.role === "assistant" ? { ...written(message), weight: 0 } : written(message);
      return {
        messages: [...prompt.map(unlearned), ...completion.map(written)],
        ...(tools.length > 0 && { tools }),
      };
    });
  },
});
