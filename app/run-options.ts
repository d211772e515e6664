import type { AtlasConfig, LlmConfig } from "../configs/config-schema.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Agent } from "../producers/agents/agent.ts";
import type { History } from "../producers/lanes/history.ts";
import type { LaneOptions } from "../producers/lanes/lane.ts";
import { detectModel } from "../producers/models/detect.ts";
import type { ModelClient } from "../producers/models/model-client.ts";
import type { SessionOptions } from "../producers/run-session.ts";
import type { TriageAdapter } from "../producers/triage/triage.ts";
import { type VerdictCache, verdictCache } from "../producers/verdict-cache.ts";
import { configuredAgent } from "./configured-agent.ts";
import { configuredModel } from "./configured-model.ts";
import { configuredTriage } from "./configured-triage.ts";

/** A task, who works on it, and, where the configuration's are not wanted, who looks at the result. */
export interface RunOptions
  extends Omit<SessionOptions, "flusher" | "rulesHash" | "agent" | "teacher" | "judge"> {
  /** The configured one unless told. */
  agent?: Agent;
  teacher?: ModelClient;
  judge?: ModelClient;
}

/** Fills in what a run leaves to the configuration. */
export type ResolveRun = (run: RunOptions) => Promise<Omit<SessionOptions, "flusher" | "rulesHash">>;

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

const given = (run: Omit<RunOptions, "agent" | "teacher" | "judge">): typeof run =>
  Object.fromEntries(Object.entries(run).filter(([, value]) => value !== undefined)) as typeof run;

/**
 * Fills in what runs leave open: the caller's, else the configured, else what the environment offers. Runs of one
 * resolver share the configured verdict cache.
 *
 * @param history tells earlier sessions to whoever chooses the lane
 * @returns a function that throws AtlasError ATLAS_RUN_INVALID without an agent
 * @example
 * const resolve = runResolver(config, readHistory(db));
 * await runSession({ ...(await resolve({ task })), flusher, rulesHash });
 */
export function runResolver(config: AtlasConfig, history: History): ResolveRun {
  const limit = config.orchestration.verdictCache;
  const defaults = defaultsOf(config, history, limit === 0 ? undefined : verdictCache({ limit }));
  let triage: Promise<TriageAdapter> | undefined;
  return async ({ agent, teacher, judge, ...run }) => {
    const working =
      agent ?? (config.agent === undefined ? undefined : await configuredAgent(config.agent, config.plugins));
    if (working === undefined) {
      const hint = "Pass an agent to run, or configure one under `agent`.";
      throw new AtlasError("ATLAS_RUN_INVALID", "a run needs an agent", { hint });
    }
    const teaching = teacher ?? modelOf(config.teacher);
    const judging = judge ?? modelOf(config.judge);
    const fallback =
      teaching !== undefined || judging !== undefined ? undefined : (await detectModel()).client;
    if (config.triage !== undefined && run.triage === undefined) triage ??= configuredTriage(config.triage);
    return {
      ...defaults,
      triage: await triage,
      ...given(run),
      lane: laneOf(config, run.lane),
      tags: [...new Set([...(config.tags ?? []), ...(run.tags ?? [])])],
      metadata: metadataOf(config, run.metadata),
      agent: working,
      teacher: teaching ?? judging ?? fallback!,
      judge: judging ?? teaching ?? fallback!,
    };
  };
}
