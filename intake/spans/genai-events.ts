import { isObject } from "../../traces/clean-text.ts";
import { answeredIn } from "./answered-in.ts";
import { askedIn } from "./asked-in.ts";
import { partsIn } from "./message-shapes.ts";
import { firstSaid, parsedText, type Said } from "./said.ts";
import type { SpanEvent } from "./span.ts";

/** A message without why the model stopped: that is of the reply, and stands beside the message in other notations. */
export function ofReply(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { finish_reason: _reason, finishReason: _camel, ...message } = value;
  return message;
}

const MESSAGE_EVENT = /^gen_ai\.(system|user|assistant|tool)\.message$/;

/** The message that an event stands for; its body may be one text. */
function messageOf(role: string, body: Record<string, unknown>): unknown {
  const {
    "gen_ai.event.content": content,
    "event.name": _name,
    "gen_ai.system": _system,
    "gen_ai.message.index": _index,
    ...fields
  } = body;
  const inner = parsedText(content);
  const message = isObject(inner) ? inner : content === undefined ? fields : { content };
  const calls = parsedText(message.tool_calls);
  return {
    ...message,
    role: message.role ?? role,
    content: partsIn(message.content) ?? null,
    ...(calls !== undefined && calls !== null && { tool_calls: calls }),
  };
}

const bodyOf = (event: Record<string, unknown>): Record<string, unknown> => {
  const body = parsedText(event.body);
  return isObject(body) ? { ...event, body: undefined, ...body } : event;
};

/** An event for each message, as they stood on spans and in logs. */
export function saidInEvents(events: readonly { name: string; attributes: Record<string, unknown> }[]): Said {
  const asked: unknown[] = [];
  const answered: unknown[] = [];
  const others: Said[] = [];
  for (const { name, attributes } of events) {
    const { body: _, ...fields } = bodyOf(attributes);
    const role = MESSAGE_EVENT.exec(name)?.[1];
    if (role !== undefined) asked.push(messageOf(role, fields));
    else if (name === "gen_ai.choice") {
      const message = parsedText(fields.message);
      const inner = isObject(message)
        ? { ...fields, ...message, message: undefined }
        : typeof message === "string" || Array.isArray(message)
          ? { ...fields, content: message, message: undefined }
          : fields;
      const { index, message: _message, ...choice } = inner;
      // Other candidates of the same answer are kept, and are no part of the conversation.
      if (answered.length === 0 || index === undefined)
        answered.push(ofReply(messageOf("assistant", choice)));
    } else if (name === "gen_ai.content.prompt") others.push(askedIn(fields["gen_ai.prompt"]));
    else if (name === "gen_ai.content.completion") others.push(answeredIn(fields["gen_ai.completion"]));
  }
  return firstSaid([{ asked, answered }, ...others]);
}

/** Whether an event holds something of what was said. */
export const isSayingEvent = ({ name, attributes }: SpanEvent): boolean =>
  MESSAGE_EVENT.test(name) ||
  name === "gen_ai.choice" ||
  name.startsWith("gen_ai.content.") ||
  attributes["gen_ai.input.messages"] !== undefined ||
  attributes["gen_ai.output.messages"] !== undefined;
