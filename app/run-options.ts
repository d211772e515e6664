import type { AtlasConfig, LlmConfig } from "../configs/config-schema.ts";
import { withJudgeWeights } from "../configs/judges-schema.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Judge } from "../judges/judge.ts";
import type { Panel } from "../judges/panel.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import type { ModelClient } from "../models/model-client.ts";
import type { Agent } from "../producers/agents/agent.ts";
import type { History } from "../producers/lanes/history.ts";
import type { LaneOptions } from "../producers/lanes/lane.ts";
import type { SessionOptions } from "../producers/run-session.ts";
import type { TriageAdapter } from "../producers/triage/triage.ts";
import { type VerdictCache, verdictCache } from "../producers/verdict-cache.ts";
import type { Rules } from "../schemas/rules.ts";
import { configuredAgent } from "./configured-agent.ts";
import { configuredPanel, lacksModel, panelOf, solePanel } from "./configured-judges.ts";
import { configuredModel } from "./configured-model.ts";
import { configuredTriage } from "./configured-triage.ts";
import { detectModel } from "./detect-model.ts";

/** A task, who works on it, and, where the configuration's are not wanted, who looks at the result. */
export interface RunOptions
  extends Omit<
    SessionOptions,
    "flusher" | "logger" | "rulesHash" | "agent" | "teacher" | "judge" | "judgeLater"
  > {
  /** The configured one unless told. */
  agent?: Agent;
  teacher?: ModelClient;
  /** A model that is asked once, in place of the configured judges. */
  judge?: ModelClient;
  /** Who scores this run, before it returns, in place of the configured judges; their names differ. */
  judges?: readonly Judge[];
}

/** A run with nothing left open. */
export interface ResolvedRun extends Omit<SessionOptions, "flusher" | "rulesHash"> {
  /** What it is rewarded by. */
  rules: Rules;
}

/** Fills in what a run leaves to the configuration. */
export type ResolveRun = (run: RunOptions) => Promise<ResolvedRun>;

const modelOf = (config: LlmConfig | undefined): ModelClient | undefined =>
  config === undefined ? undefined : configuredModel(config);

/** How the lane is chosen: what the run says, key by key, goes before the configuration. */
function laneOf({ lane }: AtlasConfig, own: LaneOptions | undefined): LaneOptions | undefined {
  if (lane === undefined) return own;
  return { ...lane, probe: modelOf(lane.probe), ...own };
}

const milliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.ceil(seconds * 1000);

/** What is the same for every run of a configuration. */
function defaultsOf(config: AtlasConfig, history: History, verdicts: VerdictCache | undefined) {
  const { orchestration, learningKey, project, tenant } = config;
  const { maxRetries, concurrency, executionMode, stepTimeoutSeconds, deadlineSeconds } = orchestration;
  return {
    maxRetries,
    concurrency,
    executionMode,
    stepTimeoutMs: milliseconds(stepTimeoutSeconds),
    deadlineMs: milliseconds(deadlineSeconds),
    prices: config.prices,
    modelTimeoutMs: milliseconds(config.orchestration.modelTimeoutSeconds),
    learningKey,
    project,
    tenant,
    history,
    verdicts,
  };
}

function metadataOf({ metadata }: AtlasConfig, own: RunOptions["metadata"]): RunOptions["metadata"] {
  return metadata === undefined ? own : { ...metadata, ...own };
}

/** Who scores a run that names its judges itself, and by which rules. */
function ownPanel(
  { rules }: AtlasConfig,
  judge: ModelClient | undefined,
  judges: readonly Judge[] | undefined,
): { panel: Panel; rules: Rules } | undefined {
  if (judge !== undefined && judges !== undefined)
    throw new AtlasError("ATLAS_RUN_INVALID", "a run names either a judge or judges", {
      hint: "Make the model one of the judges: modelJudge({ name, small: model }).",
    });
  if (judge !== undefined) return { panel: solePanel(judge, rules.rubric), rules };
  if (judges === undefined) return undefined;
  const weighed = withJudgeWeights(rules, judges);
  return { panel: panelOf(judges, weighed.rubric), rules: weighed };
}

const given = (run: Omit<RunOptions, "agent" | "teacher" | "judge" | "judges">): typeof run =>
  Object.fromEntries(Object.entries(run).filter(([, value]) => value !== undefined)) as typeof run;

/**
 * Fills in what runs leave open: the caller's, else the configured, else what the environment offers. Runs of one
 * resolver share the configured verdict cache.
 *
 * @param history tells earlier sessions to whoever chooses the lane
 * @param logger told when the configured triage adapter cannot be loaded
 * @returns a function that throws AtlasError ATLAS_RUN_INVALID without an agent
 * @example
 * const resolve = runResolver(config, readHistory(db));
 * await runSession({ ...(await resolve({ task })), flusher, rulesHash });
 */
export function runResolver(
  config: AtlasConfig,
  history: History,
  logger: GuardedLogger = defaultLogger,
): ResolveRun {
  const limit = config.orchestration.verdictCache;
  const defaults = defaultsOf(config, history, limit === 0 ? undefined : verdictCache({ limit }));
  let triage: Promise<TriageAdapter> | undefined;
  return async ({ agent, teacher, judge, judges, ...run }) => {
    const working =
      agent ?? (config.agent === undefined ? undefined : await configuredAgent(config.agent, config.plugins));
    if (working === undefined) {
      const hint = "Pass an agent to run, or configure one under `agent`.";
      throw new AtlasError("ATLAS_RUN_INVALID", "a run needs an agent", { hint });
    }
    const own = ownPanel(config, judge, judges);
    const judging = judge ?? modelOf(config.judges?.smallModel ?? config.judge);
    const teaching = teacher ?? modelOf(config.teacher) ?? judging ?? (await detectModel()).client;
    const panel = own?.panel ?? (await configuredPanel(config, lacksModel(config) ? teaching : undefined));
    if (config.triage !== undefined && run.triage === undefined)
      triage ??= configuredTriage(config.triage, logger);
    return {
      ...defaults,
      triage: await triage,
      ...given(run),
      lane: laneOf(config, run.lane),
      tags: [...new Set([...(config.tags ?? []), ...(run.tags ?? [])])],
      metadata: metadataOf(config, run.metadata),
      agent: working,
      teacher: teaching,
      judge: panel,
      judgeLater: own === undefined && config.judges?.mode === "deferred",
      rules: own?.rules ?? config.rules,
    };
  };
}
