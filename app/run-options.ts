import type { AtlasConfig, LlmConfig } from "../configs/config-schema.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Agent } from "../producers/agents/agent.ts";
import { detectModel } from "../producers/models/detect.ts";
import type { ModelClient } from "../producers/models/model-client.ts";
import type { SessionOptions } from "../producers/run-session.ts";
import { configuredAgent } from "./configured-agent.ts";
import { configuredModel } from "./configured-model.ts";

/** A task, who works on it, and, where the configuration's are not wanted, who looks at the result. */
export interface RunOptions
  extends Omit<SessionOptions, "flusher" | "rulesHash" | "agent" | "teacher" | "judge"> {
  /** The configured one unless told. */
  agent?: Agent;
  teacher?: ModelClient;
  judge?: ModelClient;
}

const modelOf = (config: LlmConfig | undefined): ModelClient | undefined =>
  config === undefined ? undefined : configuredModel(config);

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
