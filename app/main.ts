/** The package's main entry: everything that a program which runs an agent needs. */

export type { ConfigInput } from "../configs/config-schema.ts";
export { AtlasError, explain, isAtlasError } from "../errors/atlas-error.ts";
export type {
  Agent,
  AgentContext,
  AgentDefinition,
  AgentInput,
  AgentReply,
} from "../producers/agents/agent.ts";
export { defineAgent } from "../producers/agents/agent.ts";
export { functionAgent } from "../producers/agents/function-agent.ts";
export { modelAgent } from "../producers/agents/model-agent.ts";
export { openaiAgent } from "../producers/agents/openai-agent.ts";
export { anthropicModel } from "../producers/models/anthropic.ts";
export { geminiModel } from "../producers/models/gemini.ts";
export type { ModelClient, ModelReply, ModelRequest } from "../producers/models/model-client.ts";
export { openaiModel } from "../producers/models/openai.ts";
export { simulatedModel } from "../producers/models/simulated.ts";
export type { RunResult, RunReward } from "../producers/run-session.ts";
export { decisionsOn } from "./decide-review.ts";
export { exportDataset } from "./export-dataset.ts";
export type { Atlas, ImportRunsOptions, OpenOptions } from "./open-atlas.ts";
export { openAtlas } from "./open-atlas.ts";
export { rebuild } from "./rebuild.ts";
export type { RunOptions } from "./run-options.ts";
