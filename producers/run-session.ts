import { AtlasError, explain } from "../errors/atlas-error.ts";
import { isSimulated } from "../judges/judge.ts";
import { judgeSession, type Verdict } from "../judges/judge-session.ts";
import { type Panel, type RunReward, soleJudge } from "../judges/panel.ts";
import { allMissing, leaveUnjudged, whyUnjudged } from "../judges/unjudged.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import type { ModelClient } from "../models/model-client.ts";
import type { Prices } from "../models/prices.ts";
import type { Flusher } from "../recording/flusher.ts";
import { learningKeyOf } from "../recording/learning-key.ts";
import { REDACTED } from "../recording/masking/marker.ts";
import { createRecorder } from "../recording/recorder.ts";
import { type SessionScope, sessionSignal, stopwatch } from "../recording/session-scope.ts";
import { type SessionTokens, sumOf, TokenCount } from "../recording/tokens.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { newId, nowMicros } from "../schemas/identity.ts";
import { jsonText } from "../schemas/json-text.ts";
import { checkLearningKey } from "../schemas/learning-key.ts";
import type { SessionStatus } from "../schemas/vocabulary.ts";
import { foldSession } from "../traces/fold.ts";
import { isMadeUp } from "../traces/made-up.ts";
import type { Agent } from "./agents/agent.ts";
import type { History } from "./lanes/history.ts";
import {
  areModes,
  type ExecutionModes,
  type Lane,
  type LaneOptions,
  laneProblem,
  modeOf,
} from "./lanes/lane.ts";
import { type LaneChoice, selectLane } from "./lanes/select-lane.ts";
import { orchestrate } from "./orchestrator.ts";
import { defaultTriage } from "./triage/default-triage.ts";
import { type TriageAdapter, triageTask } from "./triage/triage.ts";
import type { VerdictCache } from "./verdict-cache.ts";

/** A task, who works on it, and who looks at the result. */
export interface SessionOptions {
  task: string;
  agent: Agent;
  teacher: ModelClient;
  /** Who scores it; a model is asked once, about the whole session. */
  judge: ModelClient | Panel;
  /** Leaves the judging to whoever reads the log, so that the run does not wait for it. */
  judgeLater?: boolean | undefined;
  /** Takes the session's events to the log; shared by all sessions of a log. */
  flusher: Flusher;
  logger?: GuardedLogger | undefined;
  /** Names the rules by which the session is rewarded. */
  rulesHash: string;
  /** Groups sessions that learn from each other; computed from agent, tags, tenant and task unless told. */
  learningKey?: string | undefined;
  /** A known good answer: judges see it, the agent and its teacher do not. */
  groundTruth?: string | undefined;
  /** Anything of the caller's, kept with the session. */
  metadata?: Record<string, unknown> | undefined;
  tags?: readonly string[] | undefined;
  /** Names the group of sessions that try the same task. */
  groupId?: string | undefined;
  /** Which of its group's tries this is, from 1. */
  rollout?: number | undefined;
  project?: string | undefined;
  tenant?: string | undefined;
  /** Cancels the session. */
  signal?: AbortSignal | undefined;
  /** Called with a copy of each event as it happens. */
  onEvent?: ((event: AtlasEvent) => void) | undefined;
  /** How the lane is chosen; always `paired` unless told. */
  lane?: LaneOptions | undefined;
  /** Tells earlier sessions to whoever chooses the lane. */
  history?: History | undefined;
  /** Describes the task first; the default adapter does where a probe chooses the lane, otherwise nobody unless told. */
  triage?: TriageAdapter | undefined;
  /** One step, or a plan's steps, for every lane or for each; `stepwise` in the lane `coach` and `single_shot` in the others unless told. */
  executionMode?: ExecutionModes | undefined;
  /** Most steps at a time; 4 unless told. */
  concurrency?: number | undefined;
  /** What models cost; unless told, only what servers tell themselves is known. */
  prices?: Prices | undefined;
  /** Milliseconds of one model call with all its tries; 5 minutes unless told. */
  modelTimeoutMs?: number | undefined;
  /** Milliseconds for all attempts at a step; as long as the session unless told. */
  stepTimeoutMs?: number | undefined;
  /** Verdicts that the teacher need not give again; each session asks for all of its own unless told. */
  verdicts?: VerdictCache | undefined;
  /** Further attempts after one that the teacher rejected; 1 unless told. */
  maxRetries?: number | undefined;
  /** Milliseconds until the session fails for want of time; 15 minutes unless told. */
  deadlineMs?: number | undefined;
}

/** What came of a run. */
export interface RunResult {
  sessionId: Uuid;
  status: SessionStatus;
  /** The last answer, accepted or not; of a plan that was not finished, the outputs of the steps that succeeded. */
  finalAnswer?: string;
  lane: Lane;
  /** As the log has it: masked, where the session was. */
  learningKey: string;
  /** Missing where the session was not judged (cancelled, an outage, no valid judgement), or is judged later: never 0 for that. */
  reward?: RunReward;
  /** True where judges are asked after the run. */
  judgedLater: boolean;
  /** Of all model calls, the judges' too where they are asked before the run ends. */
  tokens: SessionTokens;
  /** US dollars for all model calls; missing unless the cost of every one is known. */
  cost?: number;
  /** From the session's start to its end; judging comes after. */
  durationMs: number;
  /** Why it did not succeed. */
  error?: AtlasError;
  /** True where a model was simulated, also one that the agent asked. */
  simulated: boolean;
  /** Resolves when all events of the session are in the log; rejects saying how many were lost. */
  durable: Promise<void>;
}

const DEADLINE_MS = 15 * 60_000;
/** The runtime ends a late session itself; only one whose process is gone is left to be abandoned. */
const ABANDONED_AFTER_MS = 60_000;

function check(options: SessionOptions): void {
  const {
    task,
    learningKey,
    maxRetries = 1,
    deadlineMs = DEADLINE_MS,
    concurrency = 4,
    stepTimeoutMs,
    modelTimeoutMs,
  } = options;
  const invalid = (message: string, hint?: string): AtlasError =>
    new AtlasError("ATLAS_RUN_INVALID", message, hint === undefined ? {} : { hint });
  const { name, invoke } = (options.agent ?? {}) as Partial<Agent>;
  if (typeof name !== "string" || typeof invoke !== "function")
    throw invalid("a run needs an agent", "Make one with defineAgent, functionAgent or agentOf.");
  if (typeof task !== "string" || task.trim() === "") throw invalid("a run needs a task");
  if (learningKey !== undefined) checkLearningKey(learningKey);
  if (!Number.isInteger(maxRetries) || maxRetries < 0)
    throw invalid("maxRetries must be a whole number from 0");
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw invalid("concurrency must be a whole number from 1");
  // Timers take no more than 31 bits of milliseconds.
  const fits = (ms: number): boolean => ms > 0 && ms < 2 ** 31;
  if (!fits(deadlineMs)) throw invalid("deadlineMs must be above 0 and below 25 days");
  if (stepTimeoutMs !== undefined && !fits(stepTimeoutMs))
    throw invalid("stepTimeoutMs must be above 0 and below 25 days");
  if (modelTimeoutMs !== undefined && !fits(modelTimeoutMs))
    throw invalid("modelTimeoutMs must be above 0 and below 25 days");
  const { executionMode } = options;
  if (executionMode !== undefined && !areModes(executionMode))
    throw invalid("executionMode must be single_shot or stepwise, or one of them for each lane");
  const problem = laneProblem(options.lane ?? {});
  if (problem !== undefined) throw invalid(problem);
}

function started(options: SessionOptions, learningKey: string, simulated: boolean) {
  const { agent, deadlineMs = DEADLINE_MS } = options;
  return {
    task: options.task,
    learning_key: learningKey,
    agent: agent.name,
    agent_kind: agent.kind,
    origin: "run",
    project: options.project ?? null,
    tenant: options.tenant ?? null,
    tags: [...(options.tags ?? [])],
    group_id: options.groupId ?? null,
    rollout: options.rollout ?? null,
    ground_truth: options.groundTruth ?? null,
    executor_system_prompt: agent.systemPrompt ?? null,
    metadata: options.metadata === undefined ? null : jsonText(options.metadata),
    deadline: nowMicros() + Math.round((deadlineMs + ABANDONED_AFTER_MS) * 1000),
    simulated,
    judging: options.judgeLater === true ? "deferred" : null,
  };
}

/** Describes the task where that is wanted, and puts the session into its lane; records both. */
async function chooseLane(
  scope: SessionScope,
  options: SessionOptions,
  learningKey: string,
): Promise<LaneChoice> {
  const { task, metadata = {}, lane, history } = options;
  const triage = options.triage ?? (lane?.probe === undefined ? undefined : defaultTriage);
  const dossier = triage === undefined ? undefined : await triageTask(scope, task, metadata, triage);
  const choice: LaneChoice =
    lane === undefined
      ? { lane: "paired", reason: "default" }
      : await selectLane(scope, { task, learningKey, options: lane, history, dossier });
  scope.recorder.emit("LaneSelected", {
    lane: choice.lane,
    reason: choice.reason,
    confidence: choice.confidence ?? null,
    probe: choice.probe === undefined ? null : jsonText(choice.probe),
  });
  return choice;
}

/**
 * Runs one task as a session: the student works, in the lane `paired` the teacher validates every attempt and guides
 * one retry, judges score what happened, and all of it is emitted while it happens. A session that fails or is cancelled is a result,
 * not an error.
 *
 * @throws AtlasError ATLAS_RUN_INVALID for options that do not go together, ATLAS_LEARNING_KEY_INVALID, before anything happens
 * @example
 * const result = await runSession({ task, agent, teacher: model, judge: model, flusher, rulesHash });
 * await result.durable;
 */
export async function runSession(options: SessionOptions): Promise<RunResult> {
  check(options);
  const { task, agent, teacher, maxRetries = 1, deadlineMs = DEADLINE_MS } = options;
  const panel = "complete" in options.judge ? soleJudge(options.judge) : options.judge;
  const { tags, tenant } = options;
  const learningKey = options.learningKey ?? learningKeyOf({ agent: agent.name, task, tags, tenant });
  const simulated =
    agent.simulated === true ||
    teacher.simulated ||
    panel.judges.some(isSimulated) ||
    options.lane?.probe?.simulated === true;
  const { flusher, onEvent, signal, logger } = options;
  const recorder = createRecorder({ flusher, sessionId: newId(), onEvent, signal, logger });
  const tokens = new TokenCount();
  const unanswered: SessionScope["unanswered"] = new Map();
  let messages = 0;
  const scopeOf = (signal: AbortSignal): SessionScope => ({
    recorder,
    tokens,
    signal,
    logger,
    prices: options.prices,
    modelTimeoutMs: options.modelTimeoutMs,
    unanswered,
    nextMessage: () => messages++,
  });

  recorder.emit("SessionStarted", started(options, learningKey, simulated));
  const duration = stopwatch();
  using ending = sessionSignal(options.signal, deadlineMs);
  const scope = scopeOf(ending.signal);
  const { lane } = await chooseLane(scope, options, learningKey);
  const outcome = await orchestrate(scope, {
    task,
    agent,
    teacher,
    lane,
    maxRetries,
    executionMode: modeOf(lane, options.executionMode),
    concurrency: options.concurrency ?? 4,
    stepTimeoutMs: options.stepTimeoutMs,
    verdicts: options.verdicts,
  });
  const duration_us = duration();
  const { status, reply, error } = outcome;
  const why = error === undefined ? null : explain(error);
  const spent = tokens.read();
  recorder.emit("SessionEnded", {
    learning_key: learningKey,
    status,
    final_answer: reply?.content ?? null,
    error: why,
    usage: sumOf(spent),
    usage_by_role: jsonText(
      Object.fromEntries(Object.entries(spent.byRole).map(([role, sum]) => [role, sumOf(sum)])),
    ),
    cost: spent.cost ?? null,
    duration_us,
  });

  const unjudged = whyUnjudged({ status, error: why });
  // A session that ran out of time is still judged, so only the caller's own wish cuts the judges short.
  using judging = sessionSignal(options.signal);
  const verdict = async (): Promise<Pick<Verdict, "judgements" | "missing">> => {
    if (status === "cancelled") return { judgements: [], missing: allMissing(panel) };
    if (unjudged !== undefined) return leaveUnjudged(recorder, panel, unjudged);
    const history = recorder.history();
    const trace = history.length === 0 ? undefined : foldSession(history);
    return judgeSession(scopeOf(judging.signal), trace, panel);
  };
  const judgeNow = async (): Promise<RunReward | undefined> => {
    const { judgements, missing } = await verdict();
    recorder.emit("SessionJudged", {
      learning_key: learningKey,
      judgements: judgements.map(({ eventId }) => eventId),
      missing,
      rules_hash: options.rulesHash,
    });
    return panel.rewardOf(judgements);
  };
  const judgedLater = options.judgeLater === true && unjudged === undefined;
  const reward = judgedLater ? undefined : await judgeNow();

  const durable = recorder.flush();
  // A caller may not care; losing events is then no reason to end the process.
  durable.catch(() => {});
  const total = tokens.read();
  const [start] = recorder.history();
  return {
    sessionId: recorder.sessionId,
    status,
    lane,
    learningKey: start?.type === "SessionStarted" ? start.learning_key : REDACTED,
    judgedLater,
    tokens: total,
    durationMs: duration_us / 1000,
    simulated: simulated || recorder.history().some(isMadeUp),
    durable,
    ...(reply === undefined ? {} : { finalAnswer: reply.content }),
    ...(total.cost === undefined ? {} : { cost: total.cost }),
    ...(reward === undefined ? {} : { reward }),
    ...(error === undefined ? {} : { error }),
  };
}
