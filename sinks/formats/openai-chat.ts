import type { ChatMessage } from "./chat-message.ts";
import { conversationsOf } from "./conversation.ts";
import { recordFormat } from "./record-format.ts";

/** Fields that the API knows of this role, and no others: it refuses unknown ones. */
function asApi({ role, content, tool_calls, tool_call_id }: ChatMessage): object {
  if (role === "tool") return { role, tool_call_id, content };
  if (tool_calls.length === 0) return { role, content };
  return { role, content: content === "" ? null : content, tool_calls };
}

/**
 * Lines for the fine-tuning API of OpenAI and of those who speak like it: `messages`, and `tools` where some were
 * offered or called.
 */
export const openaiChat = recordFormat("openai-chat", (trace) => {
  const found = conversationsOf(trace);
  if (typeof found === "string") return found;
  return found.map(({ prompt, completion, tools }) => ({
    messages: [...prompt, ...completion].map(asApi),
    ...(tools.length > 0 && { tools }),
  }));
});
