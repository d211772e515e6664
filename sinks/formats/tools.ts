import type { JsonText, ModelCallStarted } from "../../schemas/generated/events.ts";
import { isObject, jsonValue } from "../../traces/clean-text.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { ChatMessage } from "./chat-message.ts";

/** A tool that was offered, in the shape of OpenAI's chat API. */
export interface ChatTool {
  type: "function";
  function: { name: string; description?: string; parameters: object; strict?: boolean };
}

const ANY_ARGUMENTS = { type: "object", properties: {} };

function toolOf(value: unknown): ChatTool | undefined {
  const tool = isObject(value) && isObject(value.function) ? value.function : value;
  if (!isObject(tool) || typeof tool.name !== "string") return undefined;
  const { name, description, strict } = tool;
  const parameters = tool.parameters ?? tool.input_schema;
  return {
    type: "function",
    function: {
      name,
      ...(typeof description === "string" && { description }),
      parameters: isObject(parameters) ? parameters : ANY_ARGUMENTS,
      ...(typeof strict === "boolean" && { strict }),
    },
  };
}

const toolsIn = (text: JsonText | null | undefined): ChatTool[] => {
  const offered = jsonValue(text);
  return (Array.isArray(offered) ? (offered as unknown[]) : [])
    .map(toolOf)
    .filter((tool) => tool !== undefined);
};

/** The tools of a recorded conversation: those that its recording declares, and no guess at any others. */
export const declaredTools = ({ started }: Pick<SessionTrace, "started">): ChatTool[] =>
  toolsIn(started?.tools);

/**
 * The tools of a run's conversation: those that the model was offered, and those that it called besides, of which nothing
 * but the name is known.
 */
export function toolsOf(calls: readonly ModelCallStarted[], messages: readonly ChatMessage[]): ChatTool[] {
  const byName = new Map<string, ChatTool>();
  for (const { tools } of calls) for (const tool of toolsIn(tools)) byName.set(tool.function.name, tool);
  for (const { tool_calls } of messages) {
    for (const { function: called } of tool_calls) {
      const { name } = called;
      if (!byName.has(name))
        byName.set(name, { type: "function", function: { name, parameters: ANY_ARGUMENTS } });
    }
  }
  return [...byName.values()];
}
