import { AtlasError, explain } from "../../errors/atlas-error.ts";
import type { ChatMessage, ToolCall } from "../../models/model-client.ts";
import { sendable } from "../../models/sendable.ts";
import { textOf } from "../../schemas/json-text.ts";
import type { AgentContext } from "../agents/agent.ts";
import type { Tool } from "./tool.ts";

const wrong = (message: string): AtlasError => new AtlasError("ATLAS_AGENT_FAILED", message);

function toolNamed(tools: readonly Tool[], name: string): Tool {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool !== undefined) return tool;
  throw wrong(`there is no tool ${name}; there are ${tools.map((known) => known.name).join(", ")}`);
}

/**
 * The arguments of a call: what the model meant, or what it wrote where that cannot be read. Some models write nothing
 * where a tool takes none. The text of a custom call is an argument of its own.
 */
function argumentsOf({ arguments: text, custom, error }: ToolCall): unknown {
  if (error !== undefined) return text;
  if (custom === true) return { input: text };
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Executes a call that a model asked for, records it, and returns the message with its result. What goes wrong (an
 * unknown tool, arguments that do not fit, a tool that throws) is told to the model in that message.
 *
 * @throws the signal's reason when it aborts
 */
export async function runToolCall(
  ctx: AgentContext,
  tools: readonly Tool[],
  call: ToolCall,
  signal: AbortSignal,
): Promise<ChatMessage> {
  const answer = (content: string): ChatMessage => ({ role: "tool", tool_call_id: call.id, content });
  try {
    const result = await ctx.tool(call.name, argumentsOf(call), async (args) => {
      const tool = toolNamed(tools, call.name);
      if (call.error !== undefined) throw wrong(call.error);
      const result = await tool.run(tool.check === undefined ? args : tool.check(args), { signal });
      return sendable(result);
    });
    return answer(textOf(result) ?? "");
  } catch (error) {
    signal.throwIfAborted();
    return answer(`Error: ${explain(error)}`);
  }
}
