import { AtlasError } from "../../errors/atlas-error.ts";
import type { ChatMessage, ModelClient, ModelReply, ModelRequest } from "../../models/model-client.ts";
import type { AgentContext } from "../agents/agent.ts";
import { runToolCall } from "./run-tool-call.ts";
import type { Tool } from "./tool.ts";

/** A conversation of a model with its tools. */
export interface Conversation {
  client: ModelClient;
  /** What is asked; its messages are where the conversation begins. */
  request: ModelRequest;
  tools: readonly Tool[];
  /** Most answers of the model. */
  maxTurns: number;
  signal: AbortSignal;
}

const definition = ({ name, description, parameters }: Tool) => ({
  name,
  ...(description === undefined ? {} : { description }),
  parameters,
});

/**
 * Asks a model until it answers without calling a tool. Calls of one answer run side by side; the model's messages
 * and the results go back to it exactly as they came, and into the session's conversation.
 *
 * @throws AtlasError ATLAS_AGENT_FAILED when the model still calls tools at its last turn
 */
export async function converse(ctx: AgentContext, conversation: Conversation): Promise<ModelReply> {
  const { client, request, tools, maxTurns, signal } = conversation;
  const messages: ChatMessage[] = [...request.messages];
  const say = (message: ChatMessage): void => {
    ctx.message(message);
    messages.push(message);
  };
  const offered = tools.length === 0 ? {} : { tools: tools.map(definition) };
  for (let turn = 1; turn <= maxTurns; turn++) {
    const reply = await ctx.model(client, { ...request, messages: [...messages], ...offered });
    say(reply.message);
    if (tools.length === 0 || reply.toolCalls.length === 0) return reply;
    const results = await Promise.all(reply.toolCalls.map((call) => runToolCall(ctx, tools, call, signal)));
    for (const result of results) say(result);
  }
  throw new AtlasError("ATLAS_AGENT_FAILED", `${client.model} still called tools at turn ${maxTurns}`, {
    hint: "Allow more with maxTurns, or tell the model when to stop.",
  });
}
