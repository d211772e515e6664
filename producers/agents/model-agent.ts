import type { ChatMessage, ModelClient } from "../models/model-client.ts";
import { retryPrompt } from "../prompts/retry.ts";
import type { Agent, AgentInput } from "./agent.ts";

/** An agent that is one model with a system prompt. */
export interface ModelAgentOptions {
  /** The model's name unless told. */
  name?: string | undefined;
  systemPrompt?: string | undefined;
  temperature?: number | undefined;
  /** Most tokens of an answer. */
  maxTokens?: number | undefined;
}

/** What a retry adds to the conversation; the answer before it is a message already. */
function retryOf({ step, guidance }: AgentInput): ChatMessage | undefined {
  return step.attempt === 1 ? undefined : { role: "user", content: retryPrompt(guidance.at(-1)) };
}

/**
 * An agent that hands the task to a model; a retry goes on with the conversation.
 *
 * @example
 * const agent = modelAgent(anthropicModel({ model: "claude-haiku-4-5" }), { systemPrompt: "You review code." });
 */
export function modelAgent(client: ModelClient, options: ModelAgentOptions = {}): Agent {
  const { name = client.model, systemPrompt, temperature, maxTokens } = options;
  return {
    name,
    kind: client.provider,
    systemPrompt,
    simulated: client.simulated,
    async invoke(input, ctx) {
      const opening: ChatMessage[] = [
        ...(systemPrompt === undefined ? [] : [{ role: "system" as const, content: systemPrompt }]),
        { role: "user", content: input.task },
      ];
      const retry = retryOf(input);
      const previous: ChatMessage = { role: "assistant", content: input.step.previous ?? "" };
      for (const message of retry === undefined ? opening : [retry]) ctx.message(message);
      const reply = await ctx.model(client, {
        messages: retry === undefined ? opening : [...opening, previous, retry],
        ...(temperature === undefined ? {} : { temperature }),
        ...(maxTokens === undefined ? {} : { maxTokens }),
      });
      ctx.message(reply.message);
      return reply.content;
    },
  };
}
