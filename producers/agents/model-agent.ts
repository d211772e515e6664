import type { ChatMessage, ModelClient, ModelRequest } from "../../models/model-client.ts";
import { retryPrompt } from "../prompts/retry.ts";
import { converse } from "../tools/converse.ts";
import type { Tool } from "../tools/tool.ts";
import type { Agent, AgentInput } from "./agent.ts";

/** An agent that is one model with a system prompt. */
export interface ModelAgentOptions {
  /** The model's name unless told. */
  name?: string | undefined;
  systemPrompt?: string | undefined;
  temperature?: number | undefined;
  /** 0 to 1. */
  topP?: number | undefined;
  /** Most tokens of an answer. */
  maxTokens?: number | undefined;
  /** Further fields of each request, sent as they are, such as `seed` or `return_token_ids`. */
  extra?: Readonly<Record<string, unknown>> | undefined;
  /** JSON Schema that the answer keeps, where the provider can promise it. */
  jsonSchema?: Record<string, unknown> | undefined;
  /** What the model may call. */
  tools?: readonly Tool[] | undefined;
  /** Most answers of the model in one attempt, those that call tools among them; 10 unless told. */
  maxTurns?: number | undefined;
}

/** What every request of the agent has beside its messages. */
function sampling({ temperature, topP, maxTokens, extra, jsonSchema }: ModelAgentOptions) {
  const given = { temperature, topP, maxTokens, extra, jsonSchema };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Omit<
    ModelRequest,
    "messages"
  >;
}

/** What a retry adds to the conversation; the answer before it is a message already. */
function retryOf({ step, guidance }: AgentInput): ChatMessage | undefined {
  return step.attempt === 1 ? undefined : { role: "user", content: retryPrompt(guidance) };
}

/**
 * An agent that hands the task to a model, and executes the tools that it calls; a retry goes on with the conversation.
 *
 * @example
 * const agent = modelAgent(anthropicModel({ model: "claude-haiku-4-5" }), { systemPrompt: "You review code." });
 */
export function modelAgent(client: ModelClient, options: ModelAgentOptions = {}): Agent {
  const { name = client.model, systemPrompt, tools = [], maxTurns = 10 } = options;
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
      const messages = retry === undefined ? opening : [...opening, previous, retry];
      const request: ModelRequest = {
        ...sampling(options),
        messages,
        promptVersion: input.promptVersion,
        ...(input.jsonSchema !== undefined && { json: true, jsonSchema: input.jsonSchema }),
      };
      const { content } = await converse(ctx, { client, request, tools, maxTurns, signal: input.signal });
      return content;
    },
  };
}
