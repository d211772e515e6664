import { isObject } from "../../traces/clean-text.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { repliedIn } from "./answered-in.ts";
import { askedIn } from "./asked-in.ts";
import { Attributes } from "./attributes.ts";
import { ofReply, saidInEvents } from "./genai-events.ts";
import { partsIn } from "./message-shapes.ts";
import { unwrapped } from "./payload.ts";
import { firstSaid, parsedText, type Said } from "./said.ts";
import type { SpanEvent } from "./span.ts";

const messagesIn = (value: unknown): unknown[] | undefined => {
  const list = parsedText(value);
  if (isObject(list)) return [list];
  return Array.isArray(list) && list.length > 0 ? (list as unknown[]).map(unwrapped) : undefined;
};

/** The conventions of OpenTelemetry for generative models: messages as lists, on spans and on their one event. */
function fromLists(attributes: Attributes): Said {
  return {
    asked: messagesIn(attributes.take("gen_ai.input.messages")),
    answered: messagesIn(attributes.take("gen_ai.output.messages"))?.map(ofReply),
    instructions: parsedText(attributes.take("gen_ai.system_instructions")),
    tools: toolDefinitions(attributes.take("gen_ai.tool.definitions")),
  };
}

/** Earlier conventions: all that was asked in one attribute, all that was answered in another. */
function fromPrompt(attributes: Attributes): Said {
  const asked = askedIn(attributes.takeOwn("gen_ai.prompt"));
  const completion = attributes.takeOwn("gen_ai.completion");
  const answered = completion === undefined ? {} : repliedIn(completion);
  return { ...asked, answered: answered.answered?.map(ofReply) };
}

/** Events that Pydantic AI writes into an attribute. */
function fromListedEvents(value: unknown): Said {
  const list = parsedText(value);
  if (!Array.isArray(list)) return {};
  const events = (list as unknown[])
    .filter(isObject)
    .map((event) => ({ name: String(event["event.name"] ?? ""), attributes: event }));
  return saidInEvents(events);
}

/** What a span says by the conventions of OpenTelemetry, and by those before them. */
export function genAiSaid(attributes: Attributes, events: readonly SpanEvent[]): Said {
  return firstSaid([
    fromLists(attributes),
    ...events.map(({ attributes: own }) => fromLists(new Attributes(own))),
    indexed(attributes),
    fromPrompt(attributes),
    saidInEvents(events),
    fromListedEvents(attributes.take("events")),
    fromListedEvents(attributes.take("all_messages_events")),
    pydantic(attributes),
  ]);
}

/** Pydantic AI tells of tools, and on the agent's span of the whole conversation. */
function pydantic(attributes: Attributes): Said {
  const parameters = parsedText(attributes.get("model_request_parameters"));
  const tools = isObject(parameters) ? parameters.function_tools : undefined;
  return {
    answered: messagesIn(attributes.take("pydantic_ai.all_messages"))?.map(ofReply),
    tools: toolDefinitions(tools),
  };
}

/** OpenLLMetry numbers messages and calls: `gen_ai.prompt.0.tool_calls.1.name`. */
function indexed(attributes: Attributes): Said {
  const numbered = (name: string): unknown[] | undefined => {
    const value = attributes.takeBelow(name);
    const list = Array.isArray(value) ? (value as unknown[]) : [];
    const messages = list.filter(isObject).map((message) => ({
      ...message,
      role: message.role ?? (name === "gen_ai.completion" ? "assistant" : "user"),
      content: partsIn(message.content) ?? null,
    }));
    return messages.length === 0 ? undefined : messages;
  };
  const functions = attributes.take("llm.request.functions");
  return {
    asked: numbered("gen_ai.prompt"),
    answered: numbered("gen_ai.completion")?.map(ofReply),
    tools: toolDefinitions(Array.isArray(functions) ? (functions as unknown[]).map(withSchema) : functions),
  };
}

const withSchema = (value: unknown): unknown =>
  isObject(value) ? { ...value, parameters: parsedText(value.parameters) } : value;
