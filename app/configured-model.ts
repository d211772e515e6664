import type { LlmConfig } from "../configs/config-schema.ts";
import { isOffline } from "../configs/offline-mode.ts";
import { anthropicModel } from "../models/anthropic.ts";
import { geminiModel } from "../models/gemini.ts";
import type { ModelClient } from "../models/model-client.ts";
import { openaiModel } from "../models/openai.ts";
import { simulatedModel } from "../producers/simulated/simulated.ts";

/** A model whose requests have these defaults. */
function withDefaults(client: ModelClient, config: LlmConfig): ModelClient {
  const { temperature, topP, maxOutputTokens, extra } = config;
  const defaults = {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
    ...(extra !== undefined && { extra }),
  };
  return {
    ...client,
    defaults,
    complete: (request, options) => client.complete({ ...defaults, ...request }, options),
  };
}

function clientOf(config: LlmConfig): ModelClient {
  const { provider, model, baseUrl, apiKeyEnv, timeoutSeconds, retries, stream } = config;
  const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
  const options = { model, baseUrl, apiKeyEnv, timeoutMs, maxRetries: retries, stream };
  switch (provider) {
    case "openai":
      return openaiModel(options);
    case "anthropic":
      return anthropicModel(options);
    case "gemini":
      return geminiModel(options);
    case "simulated":
      return simulatedModel();
  }
}

/** The model of a configuration; a simulated one where `ATLAS_OFFLINE_MODE` is set. */
export const configuredModel = (config: LlmConfig): ModelClient =>
  withDefaults(isOffline() ? simulatedModel() : clientOf(config), config);
