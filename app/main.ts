/** The package's main entry: everything that a program which runs an agent needs. */

export type { ConfigInput } from "../configs/config-schema.ts";
export type { ReportOptions } from "../derivation/reports/assessed-sessions.ts";
export type { DriftReport } from "../derivation/reports/drift-report.ts";
export type { RewardReport } from "../derivation/reports/reward-report.ts";
export type { Promoted, PromoteOptions } from "../derivation/rescore/promote.ts";
export type { Rescored, RescoreOptions } from "../derivation/rescore/rescore.ts";
export type { JudgedTrace, TraceScore } from "../derivation/score-trace.ts";
export { scoreTrace } from "../derivation/score-trace.ts";
export { AtlasError, explain, isAtlasError } from "../errors/atlas-error.ts";
export { answerMatches, toolCallBudget } from "../judges/built-in-judges.ts";
export type { JudgeDefinition } from "../judges/define-judge.ts";
export { defineJudge } from "../judges/define-judge.ts";
export type {
  FunctionJudge,
  FunctionJudgeContext,
  FunctionScore,
  Judge,
  JudgeScope,
  ModelJudge,
} from "../judges/judge.ts";
export type { ModelJudgeOptions } from "../judges/model-judge.ts";
export { modelJudge } from "../judges/model-judge.ts";
export type { RunReward } from "../judges/panel.ts";
export type { DeadLetter } from "../log/dead-letters.ts";
export type { LogCode } from "../logging/codes.ts";
export type { LoggedError } from "../logging/logged-error.ts";
export type { LogComponent, LogFields, Logger, LogLevel } from "../logging/logger.ts";
export { anthropicModel } from "../models/anthropic.ts";
export { geminiModel } from "../models/gemini.ts";
export type { CallOptions, ModelClient, ModelReply, ModelRequest } from "../models/model-client.ts";
export { openaiModel } from "../models/openai.ts";
export type { Price, Prices } from "../models/prices.ts";
export type {
  Agent,
  AgentContext,
  AgentDefinition,
  AgentInput,
  AgentReply,
} from "../producers/agents/agent.ts";
export { defineAgent } from "../producers/agents/agent.ts";
export type { AgentFactory } from "../producers/agents/agent-registry.ts";
export { registerAgent } from "../producers/agents/agent-registry.ts";
export { anthropicAgent } from "../producers/agents/anthropic-agent.ts";
export { functionAgent } from "../producers/agents/function-agent.ts";
export { geminiAgent } from "../producers/agents/gemini-agent.ts";
export type { HttpAgentOptions } from "../producers/agents/http-agent.ts";
export { httpAgent } from "../producers/agents/http-agent.ts";
export { langchainHandler } from "../producers/agents/langchain-handler.ts";
export { langgraphAgent } from "../producers/agents/langgraph-agent.ts";
export { modelAgent } from "../producers/agents/model-agent.ts";
export { agentOf } from "../producers/agents/object-agent.ts";
export { openaiAgent } from "../producers/agents/openai-agent.ts";
export { wrapAnthropic } from "../producers/agents/wrap-anthropic.ts";
export { wrapOpenAI } from "../producers/agents/wrap-openai.ts";
export type { History, HistoryEntry } from "../producers/lanes/history.ts";
export type { ExecutionMode, ExecutionModes, Lane, LaneOptions } from "../producers/lanes/lane.ts";
export type { RunResult } from "../producers/run-session.ts";
export { simulatedModel } from "../producers/simulated/simulated.ts";
export type { McpClient, McpToolsOptions } from "../producers/tools/mcp-tools.ts";
export { mcpTools } from "../producers/tools/mcp-tools.ts";
export type { Tool } from "../producers/tools/tool.ts";
export { defineTool } from "../producers/tools/tool.ts";
export { defaultTriage } from "../producers/triage/default-triage.ts";
export type { Dossier, DossierInput } from "../producers/triage/dossier.ts";
export type { TriageAdapter } from "../producers/triage/triage.ts";
export type { KeptReview, Remembered, VerdictCache } from "../producers/verdict-cache.ts";
export { verdictCache } from "../producers/verdict-cache.ts";
export type { ReviewHistory } from "../projections/review-history.ts";
export type { MaskOptions, MaskPlace } from "../recording/masking/create-mask.ts";
export { createMask } from "../recording/masking/create-mask.ts";
export { REDACTED } from "../recording/masking/marker.ts";
export type { SessionTokens, Tokens } from "../recording/tokens.ts";
export type { Mask, Masked } from "../schemas/masked.ts";
export type { Datasets } from "./api/datasets.ts";
export type { Alerts, DeadLetters, SpoolFolder } from "./api/maintenance.ts";
export type { Processors } from "./api/processors.ts";
export type { ClockOff } from "./api/review-clock.ts";
export type {
  AllDecisionOptions,
  Decided,
  DecidedSession,
  DecisionFilters,
  DecisionOptions,
  Reviews,
} from "./api/reviews.ts";
export type { Drift, Rewards } from "./api/rewards.ts";
export type { Erasable, Erasure, ImportOptions, Sessions } from "./api/sessions.ts";
export type { Host } from "./host.ts";
export type { MigrateOptions } from "./migrate.ts";
export type { Atlas, OpenOptions } from "./open-atlas.ts";
export { openAtlas } from "./open-atlas.ts";
export type { RebuildOptions, RebuildSummary, RebuiltTopic } from "./rebuild.ts";
export type { RetryOptions, RetryOutcome } from "./retry-dead-letters.ts";
export type { RunOptions } from "./run-options.ts";
