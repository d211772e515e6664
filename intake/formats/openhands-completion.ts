import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { usageIn } from "./benchmark-fields.ts";
import { Fields, listIn, numberIn, objectIn, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";

const answerIn = (reply: Record<string, unknown> | undefined): unknown => {
  const [choice] = listIn(reply?.choices) ?? [];
  return objectIn(choice)?.message;
};

/** The call as it was made with tools, where the model had to write its calls as text. */
function spokenIn(
  row: Fields,
): { asked: unknown[]; answer: unknown; reply: Record<string, unknown> } | string {
  const own = listIn(row.record.fncall_messages);
  const ownReply = objectIn(row.record.fncall_response);
  const isOwn = own !== undefined && answerIn(ownReply) !== undefined;
  const asked = isOwn ? own : listIn(row.record.messages);
  const reply = isOwn ? ownReply! : (objectIn(row.record.response) ?? {});
  if (asked === undefined || asked.length === 0) return "messages is empty";
  const answer = answerIn(reply);
  if (answer === undefined) return "response has no message";
  row.drop(isOwn ? "fncall_messages" : "messages", isOwn ? "fncall_response" : "response");
  return { asked, answer, reply };
}

function read(values: readonly unknown[], { timeOf }: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  const spoken = spokenIn(row);
  if (typeof spoken === "string") return spoken;
  const { asked, answer, reply } = spoken;
  const messages = readMessages([...asked, answer]);
  if (typeof messages === "string") return `messages${messages}`;
  const { choices, ...ofReply } = reply;
  const choice = objectIn((listIn(choices) ?? [])[0]) ?? {};
  const { message: _message, ...ofChoice } = choice;
  const options = new Fields(objectIn(row.record.kwargs) ?? {});
  const tools = options.take("tools", toolDefinitions);
  const at = timeOf(row.record.timestamp, "timestamp");
  row.drop("kwargs");
  return [
    {
      content: row.record,
      messages: messages.map((message, index) => {
        const isLast = index === messages.length - 1;
        return {
          message,
          ...(isLast && { at, usage: usageIn(reply.usage), cost: numberIn(row.record.cost) }),
        };
      }),
      tools,
      agent: textIn(reply.model),
      metadata: { ...row.rest(), kwargs: options.rest(), reply: { ...ofReply, choices: [ofChoice] } },
    },
  ];
}

/** Calls of models that OpenHands logs: what was said before, and the answer. */
export const openhandsCompletion: Format = {
  name: "openhands-completion",
  translation: 1,
  about: "calls of models that OpenHands logs (llm_completions)",
  recognizes: (value) =>
    isObject(value) &&
    Array.isArray(value.messages) &&
    isObject(value.response) &&
    isObject(value.kwargs) &&
    "timestamp" in value,
  read,
};
