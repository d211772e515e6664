import { isObject } from "../../traces/clean-text.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { answeredIn } from "./answered-in.ts";
import { askedIn } from "./asked-in.ts";
import type { Attributes } from "./attributes.ts";
import { parsedText, type Said } from "./said.ts";

const textIn = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** The answer, whose text, thoughts, calls and object have attributes of their own. */
function answerIn(attributes: Attributes): unknown[] | undefined {
  const [text, object] = ["text", "object"].map(
    (name) => textIn(attributes.take(`ai.response.${name}`)) ?? textIn(attributes.take(`ai.result.${name}`)),
  );
  const [given, calls] = ["reasoning", "toolCalls"].map((name) =>
    parsedText(attributes.take(`ai.response.${name}`) ?? attributes.take(`ai.result.${name}`)),
  );
  const thoughts = Array.isArray(given)
    ? given.map((part: unknown) => (isObject(part) ? part.text : part)).join("\n")
    : textIn(given);
  const list = Array.isArray(calls) ? (calls as unknown[]) : [];
  if (text === undefined && object === undefined && list.length === 0) return undefined;
  return [
    {
      role: "assistant",
      content: text ?? object ?? null,
      ...(thoughts && { reasoning_content: thoughts }),
      ...(list.length > 0 && { tool_calls: list }),
    },
  ];
}

/** What a span says in the notation of the AI SDK's telemetry. */
export function aiSdkSaid(attributes: Attributes): Said {
  const messages = askedIn(attributes.take("ai.prompt.messages"));
  const prompt = askedIn(attributes.takeOwn("ai.prompt"));
  const output = answerIn(attributes);
  const given = attributes.take("ai.response.messages");
  const tools = parsedText(attributes.take("ai.prompt.tools"));
  return {
    asked: messages.asked ?? prompt.asked,
    instructions: messages.asked === undefined ? prompt.instructions : undefined,
    answered: output ?? (given === undefined ? undefined : answeredIn(given).answered),
    tools: toolDefinitions(Array.isArray(tools) ? (tools as unknown[]).map(parsedText) : tools),
  };
}
