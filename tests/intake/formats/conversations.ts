import type { ChatMessage } from "../../../intake/chat/message.ts";
import type { RecordedConversation } from "../../../intake/formats/format.ts";
import { FileFormats } from "../../../intake/import/file-formats.ts";
import { pairToolCalls, resultOf } from "../../../intake/import/recorded-tool-calls.ts";

/** The conversations that values are read as, as the rows of one file. */
export function conversationsOf(...values: unknown[]): RecordedConversation[] {
  const formats = new FileFormats({});
  for (const [index, value] of values.entries())
    formats.add({ line: index + 1, text: JSON.stringify(value) });
  formats.end();
  const [problem] = formats.takeProblems();
  if (problem !== undefined) throw new Error(problem.reason);
  return formats.takeConversations().map(({ conversation }) => conversation);
}

/** The messages of a conversation. */
export const messagesOf = ({ messages }: RecordedConversation): ChatMessage[] =>
  messages.map(({ message }) => message);

/** The calls of a conversation with what came of each, as `name(arguments) → result`. */
export function callsOf(conversation: RecordedConversation): string[] {
  const messages = messagesOf(conversation);
  const calls = [...pairToolCalls(messages).callsOf.values()].flat();
  return calls.map(({ name, arguments: given, resultAt }) => {
    const result = resultAt === undefined ? "nothing" : resultOf(messages[resultAt]!);
    return `${name}(${given}) → ${result}`;
  });
}
