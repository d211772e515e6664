import { type AnthropicModelOptions, anthropicModel } from "../../models/anthropic.ts";
import type { Agent } from "./agent.ts";
import { type ModelAgentOptions, modelAgent } from "./model-agent.ts";

/** A Claude model as an agent. */
export interface AnthropicAgentOptions extends AnthropicModelOptions, ModelAgentOptions {}

/**
 * An agent that is a Claude model.
 *
 * @example
 * const agent = anthropicAgent({ model: "claude-haiku-4-5", systemPrompt: "You review code." });
 */
export const anthropicAgent = (options: AnthropicAgentOptions): Agent =>
  modelAgent(anthropicModel(options), options);
