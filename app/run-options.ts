import type { AtlasConfig, LlmConfig } from "../configs/config-schema.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Agent } from "../producers/agents/agent.ts";
import { anthropicModel } from "../producers/models/anthropic.ts";
import { detectModel } from "../producers/models/detect.ts";
import { geminiModel } from "../producers/models/gemini.ts";
import type { ModelClient } from "../producers/models/model-client.ts";
import { openaiModel } from "../producers/models/openai.ts";
import { simulatedModel } from "../producers/models/simulated.ts";
import type { SessionOptions } from "../producers/run-session.ts";
import { configuredAgent } from "./configured-agent.ts";

/** A task, who works on it, and, where the configuration's are not wanted, who looks at the result. */
export interface RunOptions
  extends Omit<SessionOptions, "flusher" | "rulesHash" | "agent" | "teacher" | "judge"> {
  /** The configured one unless told. */
  agent?: Agent;
  teacher?: ModelClient;
  judge?: ModelClient;
}

/** A model whose requests have these defaults. */
function withDefaults(client: ModelClient, { temperature, maxOutputTokens }: LlmConfig): ModelClient {
  const defaults = {
    ...(temperature !== undefined && { temperature }),
    ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
  };
  return { ...client, complete: (request, options) => client.complete({ ...defaults, ...request }, options) };
}

function clientOf(config: LlmConfig): ModelClient {
  const { provider, model, baseUrl, apiKeyEnv, timeoutSeconds } = config;
  const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
  switch (provider) {
    case "openai":
      return openaiModel({ model, baseUrl, apiKeyEnv, timeoutMs });
    case "anthropic":
      return anthropicModel({ model, baseUrl, apiKeyEnv, timeoutMs });
    case "gemini":
      return geminiModel({ model, baseUrl, apiKeyEnv, timeoutMs });
    case "simulated":
      return simulatedModel();
  }
}

const modelOf = (config: LlmConfig | undefined): ModelClient | undefined =>
  config === undefined ? undefined : withDefaults(clientOf(config), config);

/**
 * Fills in who works, who teaches and who judges: the caller's, else the configured, else what the environment offers.
 *
 * @throws AtlasError ATLAS_RUN_INVALID without an agent
 */
export async function resolveRun(
  config: AtlasConfig,
  { agent, teacher, judge, ...run }: RunOptions,
): Promise<Omit<SessionOptions, "flusher" | "rulesHash">> {
  const working = agent ?? (config.agent === undefined ? undefined : await configuredAgent(config.agent));
  if (working === undefined) {
    const hint = "Pass an agent to run, or configure one under `agent`.";
    throw new AtlasError("ATLAS_RUN_INVALID", "a run needs an agent", { hint });
  }
  const teaching = teacher ?? modelOf(config.teacher);
  const judging = judge ?? modelOf(config.judge);
  const fallback = teaching !== undefined || judging !== undefined ? undefined : (await detectModel()).client;
  return {
    maxRetries: config.orchestration.maxRetries,
    ...(config.learningKey !== undefined && { learningKey: config.learningKey }),
    ...run,
    agent: working,
    teacher: teaching ?? judging ?? fallback!,
    judge: judging ?? teaching ?? fallback!,
  };
}
