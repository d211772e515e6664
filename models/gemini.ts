import type { ModelClient, Patience } from "./model-client.ts";
import { openaiModel } from "./openai.ts";

/** A Gemini model. */
export interface GeminiModelOptions extends Patience {
  model: string;
  /** Google's OpenAI-compatible endpoint unless told. */
  baseUrl?: string | undefined;
  /** Name of the environment variable with the key; `GEMINI_API_KEY` unless told. */
  apiKeyEnv?: string | undefined;
}

/** Where it is asked unless told. */
export const GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai/";

/**
 * A client for a Gemini model, through the endpoint that speaks OpenAI's chat API.
 *
 * @example
 * const model = geminiModel({ model: "gemini-flash-latest" });
 */
export const geminiModel = (options: GeminiModelOptions): ModelClient =>
  openaiModel({
    ...options,
    baseUrl: options.baseUrl ?? GEMINI_URL,
    apiKeyEnv: options.apiKeyEnv ?? "GEMINI_API_KEY",
    provider: "gemini",
  });
