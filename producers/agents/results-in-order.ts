import type { ChatMessage } from "../../models/model-client.ts";
import { jsonText } from "../../schemas/json-text.ts";

const callIds = ({ tool_calls: calls }: ChatMessage): unknown[] =>
  Array.isArray(calls) ? calls.map((call: { id?: unknown } | null) => call?.id) : [];

/**
 * Puts results of tools behind the calls that they belong to. Agents whose tools answer while the model's message is
 * still on its way tell the result first, and nobody can train on a result without its call.
 *
 * @example
 * const conversation = resultsInOrder(record);
 * conversation.add(result); // waits
 * conversation.add(message); // records the message with the call, then the result
 * conversation.end(); // records what still waits
 */
export function resultsInOrder(record: (message: ChatMessage) => void) {
  const called = new Set<unknown>();
  let waiting: ChatMessage[] = [];

  function recordWaiting(isDue: (message: ChatMessage) => boolean): void {
    const due = waiting.filter(isDue);
    waiting = waiting.filter((message) => !isDue(message));
    for (const message of due) record(message);
  }

  return {
    add(message: ChatMessage): void {
      const { role, tool_call_id: id } = message;
      if (role === "tool" && id && !called.has(id)) {
        // The caller may change it before it is recorded.
        waiting.push(JSON.parse(jsonText(message)) as ChatMessage);
        return;
      }
      const ids = callIds(message);
      // An answer is not what a result waits for: its call was never told.
      if (role === "assistant" && ids.length === 0) recordWaiting(() => true);
      record(message);
      for (const each of ids) called.add(each);
      recordWaiting(({ tool_call_id }) => called.has(tool_call_id));
    },
    end: (): void => recordWaiting(() => true),
  };
}
