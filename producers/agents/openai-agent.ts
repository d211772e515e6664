import { type OpenaiModelOptions, openaiModel } from "../../models/openai.ts";
import type { Agent } from "./agent.ts";
import { type ModelAgentOptions, modelAgent } from "./model-agent.ts";

/** A model behind OpenAI's chat API as an agent. */
export interface OpenaiAgentOptions extends OpenaiModelOptions, ModelAgentOptions {}

/**
 * An agent that is a model behind OpenAI's chat API, at OpenAI or at any server that speaks it.
 *
 * @example
 * const agent = openaiAgent({ model: "llama3.2", baseUrl: "http://127.0.0.1:11434/v1" });
 */
export const openaiAgent = (options: OpenaiAgentOptions): Agent => modelAgent(openaiModel(options), options);
