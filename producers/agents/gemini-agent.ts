import { type GeminiModelOptions, geminiModel } from "../../models/gemini.ts";
import type { Agent } from "./agent.ts";
import { type ModelAgentOptions, modelAgent } from "./model-agent.ts";

/** A Gemini model as an agent. */
export interface GeminiAgentOptions extends GeminiModelOptions, ModelAgentOptions {}

/**
 * An agent that is a Gemini model, through the endpoint that speaks OpenAI's chat API.
 *
 * @example
 * const agent = geminiAgent({ model: "gemini-flash-latest" });
 */
export const geminiAgent = (options: GeminiAgentOptions): Agent => modelAgent(geminiModel(options), options);
