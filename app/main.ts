/** The package's main entry: everything that a program which runs an agent needs. */

export type { ConfigInput } from "../configs/config-schema.ts";
export { AtlasError, explain, isAtlasError } from "../errors/atlas-error.ts";
export type { MaskOptions, MaskPlace } from "../log/masking/create-mask.ts";
export { createMask } from "../log/masking/create-mask.ts";
export { REDACTED } from "../log/masking/marker.ts";
export type { Mask } from "../log/outgoing.ts";
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
export { answerMatches, toolCallBudget } from "../producers/judges/built-in-judges.ts";
export type { JudgeDefinition } from "../producers/judges/define-judge.ts";
export { defineJudge } from "../producers/judges/define-judge.ts";
export type {
  FunctionJudge,
  FunctionJudgeContext,
  FunctionScore,
  Judge,
  JudgeScope,
  ModelJudge,
} from "../producers/judges/judge.ts";
export type { ModelJudgeOptions } from "../producers/judges/model-judge.ts";
export { modelJudge } from "../producers/judges/model-judge.ts";
export type { RunReward } from "../producers/judges/panel.ts";
export type { History, HistoryEntry } from "../producers/lanes/history.ts";
export type { ExecutionMode, ExecutionModes, Lane, LaneOptions } from "../producers/lanes/lane.ts";
export { anthropicModel } from "../producers/models/anthropic.ts";
export { geminiModel } from "../producers/models/gemini.ts";
export type { CallOptions, ModelClient, ModelReply, ModelRequest } from "../producers/models/model-client.ts";
export { openaiModel } from "../producers/models/openai.ts";
export type { Price, Prices } from "../producers/models/prices.ts";
export { simulatedModel } from "../producers/models/simulated.ts";
export type { RunResult } from "../producers/run-session.ts";
export type { SessionTokens, Tokens } from "../producers/tokens.ts";
export type { McpClient, McpToolsOptions } from "../producers/tools/mcp-tools.ts";
export { mcpTools } from "../producers/tools/mcp-tools.ts";
export type { Tool } from "../producers/tools/tool.ts";
export { defineTool } from "../producers/tools/tool.ts";
export { defaultTriage } from "../producers/triage/default-triage.ts";
export type { Dossier, DossierInput } from "../producers/triage/dossier.ts";
export type { TriageAdapter } from "../producers/triage/triage.ts";
export type { KeptReview, Remembered, VerdictCache } from "../producers/verdict-cache.ts";
export { verdictCache } from "../producers/verdict-cache.ts";
export type { DeadLetter, RetryOptions, RetryOutcome } from "./dead-letters.ts";
export { listDeadLetters } from "./dead-letters.ts";
export { decisionsOn } from "./decide-review.ts";
export type { Erasable, Erasure } from "./erase-session.ts";
export { eraseSession } from "./erase-session.ts";
export { exportDataset } from "./export-dataset.ts";
export type { Atlas, ImportRunsOptions, OpenOptions } from "./open-atlas.ts";
export { openAtlas } from "./open-atlas.ts";
export { rebuild } from "./rebuild.ts";
export type { ReportOptions } from "./reports/assessed-sessions.ts";
export type { DriftReport } from "./reports/drift-report.ts";
export { driftReport } from "./reports/drift-report.ts";
export type { RewardReport } from "./reports/reward-report.ts";
export { rewardReport } from "./reports/reward-report.ts";
export type { Promoted, PromoteOptions } from "./rescore/promote.ts";
export { promote } from "./rescore/promote.ts";
export type { Rescored, RescoreOptions } from "./rescore/rescore.ts";
export { rescore } from "./rescore/rescore.ts";
export type { ReviewHistory } from "./review-history.ts";
export { reviewHistory } from "./review-history.ts";
export type { RunOptions } from "./run-options.ts";
export type { JudgedTrace, TraceScore } from "./score/score-trace.ts";
export { scoreTrace } from "./score/score-trace.ts";
