import { isMessage, isMessageList, readMessages } from "../chat/read-messages.ts";
import { recordedMessage } from "./chat-rows.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";

function conversationOf(values: readonly unknown[], context: ReadingContext): RecordedConversation | string {
  const said = values.filter(isMessage);
  if (said.length === 0) return "there is no message in it";
  const others = values.filter((value) => !isMessage(value));
  const messages = readMessages(said);
  if (typeof messages === "string") return `messages${messages}`;
  if (others.length > 0)
    context.note(`${others.length} values between the messages are none: they are kept with the metadata`);
  return {
    content: values,
    messages: messages.map((message, index) => recordedMessage(message, index, context)),
    ...(others.length > 0 && { metadata: { recorded: others } }),
  };
}

/** Rows that are lists of messages: each is a conversation. */
export const messageLists: Format = {
  name: "message-lists",
  translation: 1,
  about: "rows that are lists of messages, one conversation each",
  recognizes: isMessageList,
  read: ([value], context) => {
    if (!Array.isArray(value)) return "it is not a list of messages";
    const conversation = conversationOf(value, context);
    return typeof conversation === "string" ? conversation : [conversation];
  },
};

/** Fields of rows and of events that look like messages besides. */
const NOT_MESSAGES = ["messages", "sessionId", "parentUuid", "uuid"];

/** A file of messages alone, as an array or one a line: they are one conversation. */
export const messageFile: Format = {
  name: "messages",
  translation: 1,
  about: "a bare array of messages, or one message a line: one conversation a file",
  recognizes: (value) => isMessage(value) && NOT_MESSAGES.every((name) => value[name] === undefined),
  partOf: () => "",
  read: (values, context) => {
    const conversation = conversationOf(values, context);
    return typeof conversation === "string" ? conversation : [conversation];
  },
};
