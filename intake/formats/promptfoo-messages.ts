import { isObject } from "../../traces/clean-text.ts";
import { isMessage, isMessageList } from "../chat/read-messages.ts";
import { type Fields, listIn, objectIn, textIn } from "./fields.ts";
import { providerReplyIn } from "./model-reply.ts";

/** What was asked: a prompt is a text, or a chat as JSON text. */
export function askedOf(row: Fields): unknown[] | undefined {
  const { prompt } = row.record;
  const raw = isObject(prompt) ? prompt.raw : prompt;
  const text = textIn(raw);
  if (text === undefined) return undefined;
  if (isObject(prompt)) {
    const { raw: _, ...rest } = prompt;
    row.replace("prompt", Object.keys(rest).length === 0 ? undefined : rest);
  } else row.drop("prompt");
  const list = listIn(text) ?? listIn(objectIn(text)?.messages);
  return isMessageList(list) ? list : [{ role: "user", content: text }];
}

const isCall = (value: unknown): boolean =>
  isObject(value) && (isObject(value.function) || isObject(value.custom) || value.type === "function");

/** What a provider's output is as messages: a text, calls, a message, or a structure that is written as JSON. */
function messagesIn(output: unknown): unknown[] {
  if (output === undefined || output === null) return [];
  if (typeof output === "string") return [{ role: "assistant", content: output }];
  if (Array.isArray(output) && output.length > 0 && output.every(isCall))
    return [{ role: "assistant", content: null, tool_calls: output }];
  if (isMessageList(output)) return output;
  const reply = providerReplyIn(output);
  if (reply !== undefined) return reply.messages;
  if (isObject(output) && isMessage(output) && output.role !== undefined) return [output];
  if (isObject(output) && Array.isArray(output.tool_calls))
    return [{ role: "assistant", content: null, ...output }];
  return [{ role: "assistant", content: JSON.stringify(output) }];
}

/** Takes what was answered out of a result; all else of the response is left over. */
export function answerOf(row: Fields): unknown[] {
  const response = objectIn(row.record.response);
  if (response !== undefined && response.output != null) {
    const { output, ...rest } = response;
    row.replace("response", Object.keys(rest).length === 0 ? undefined : rest);
    return messagesIn(output);
  }
  const name = ["output", "text"].find((each) => row.isLeft(each));
  if (name === undefined) return messagesIn(textIn(row.record.response));
  row.drop(name);
  return messagesIn(row.record[name]);
}
