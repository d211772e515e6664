import type { AtlasConfig, LlmConfig } from "../configs/config-schema.ts";
import type { JudgeConfig, JudgesConfig } from "../configs/judges-schema.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import { answerMatches, toolCallBudget } from "../judges/built-in-judges.ts";
import { defineJudge } from "../judges/define-judge.ts";
import type { FunctionJudge, Judge } from "../judges/judge.ts";
import { modelJudge } from "../judges/model-judge.ts";
import { type Panel, rationaleOf, soleJudge } from "../judges/panel.ts";
import type { ModelClient } from "../models/model-client.ts";
import { aggregate } from "../processors/aggregate-judgements.ts";
import type { Rubric } from "../schemas/rules.ts";
import { configuredModel } from "./configured-model.ts";
import { detectModel } from "./detect-model.ts";
import { loadExport } from "./load-export.ts";

type ScoreFunction = FunctionJudge["judge"];

const modelOf = (config: LlmConfig | undefined): ModelClient | undefined =>
  config === undefined ? undefined : configuredModel(config);

const isFunctionJudge = (value: unknown): value is FunctionJudge =>
  typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "function";

/** What a module exports: a function, or what defineJudge made of one, whose name and scope the file decides. */
async function importedJudge({
  name,
  scope,
  weight,
  importPath,
  attribute = "default",
  timeoutSeconds,
}: JudgeConfig): Promise<Judge> {
  const at = { importPath: importPath!, attribute };
  const found = await loadExport(at, "judges.list", "judge");
  const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
  if (isFunctionJudge(found))
    return defineJudge({ ...found, name, scope, weight, timeoutMs: timeoutMs ?? found.timeoutMs });
  if (typeof found === "function")
    return defineJudge({ name, scope, weight, timeoutMs, judge: found as ScoreFunction });
  throw new AtlasError("ATLAS_CONFIG_INVALID", `the export for the judge ${name} is no function`, {
    where: `${at.importPath}#${attribute}`,
    hint: "Export a function (trace, context) => score, or what defineJudge returns.",
  });
}

/** The models that a block of judges asks. */
interface JudgeModels {
  /** Undefined where nothing is asked. */
  small: ModelClient | undefined;
  large: ModelClient | undefined;
}

function judgeOf(
  judge: JudgeConfig,
  block: JudgesConfig,
  { small, large }: JudgeModels,
): Judge | Promise<Judge> {
  const { name, scope, weight } = judge;
  switch (judge.type) {
    case "model": {
      const { temperatures, spreadThreshold, uncertaintyThreshold } = block;
      const { prompt, focus } = judge;
      const own = { name, scope, weight, prompt, focus, temperatures, spreadThreshold, uncertaintyThreshold };
      return modelJudge({ ...own, small: small!, large });
    }
    case "function":
      return importedJudge(judge);
    case "tool_call_budget":
      return toolCallBudget({ name, scope, weight, max: judge.max! });
    case "regex":
      return answerMatches({
        name,
        scope,
        weight,
        pattern: judge.pattern!,
        flags: judge.flags,
        expect: judge.expect,
      });
  }
}

/**
 * What judgements come to under a rubric: what the log will reward the session with.
 *
 * @example
 * const reward = rewardUnder(config.rules.rubric)(judgements);
 */
export const rewardUnder =
  (rubric: Rubric): Panel["rewardOf"] =>
  (judgements) => {
    const { score, statistics } = aggregate(judgements, rubric);
    if (score === undefined) return undefined;
    const uncertainty = statistics?.uncertainty_mean;
    return {
      score,
      ...(uncertainty == null ? {} : { uncertainty }),
      rationale: rationaleOf(judgements),
    };
  };

/**
 * A panel of judges given in code.
 *
 * @throws AtlasError ATLAS_RUN_INVALID without a judge, and for two of the same name
 */
export function panelOf(judges: readonly Judge[], rubric: Rubric, parallel?: number): Panel {
  const names = judges.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new AtlasError("ATLAS_RUN_INVALID", `two judges are named ${twice}`, {
      hint: "Give each a name of its own: rubrics weigh them by it.",
    });
  if (judges.length === 0)
    throw new AtlasError("ATLAS_RUN_INVALID", "the list of judges is empty", {
      hint: "Name a judge, or leave `judges` out for the configured ones.",
    });
  return { judges, parallel, rewardOf: rewardUnder(rubric) };
}

/** The panel of one model that is asked once about the whole session, under a rubric. */
export const solePanel = (client: ModelClient, rubric: Rubric): Panel => ({
  ...soleJudge(client),
  rewardOf: rewardUnder(rubric),
});

/** Whether a configured judge needs a model that the configuration's judges do not name themselves. */
export const lacksModel = ({ judge, judges }: Pick<AtlasConfig, "judge" | "judges">): boolean =>
  judges === undefined
    ? judge === undefined
    : judges.smallModel === undefined &&
      judge === undefined &&
      judges.list.some(({ enabled, type }) => enabled && type === "model");

/**
 * Who scores sessions by what a configuration says: its `judges`, else its `judge`.
 *
 * @param otherwise the model that is asked where the configuration names none for it; needed if {@link lacksModel}
 * @throws AtlasError ATLAS_CONFIG_INVALID when a module cannot be loaded
 * @example
 * const panel = await configuredPanel(config, config.teacher && configuredModel(config.teacher));
 */
export async function configuredPanel(
  { judge, judges, rules }: Pick<AtlasConfig, "judge" | "judges" | "rules">,
  otherwise: ModelClient | undefined,
): Promise<Panel> {
  if (judges === undefined) return solePanel(modelOf(judge) ?? otherwise!, rules.rubric);
  const models = {
    small: modelOf(judges.smallModel ?? judge) ?? otherwise,
    large: modelOf(judges.largeModel),
  };
  const enabled = judges.list.filter((each) => each.enabled);
  const made = await Promise.all(enabled.map((each) => judgeOf(each, judges, models)));
  return panelOf(made, rules.rubric, judges.parallel);
}

/**
 * {@link configuredPanel} for a process that judges what others ran: where the configuration names no model for it,
 * its teacher is asked, else what the environment offers.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID when a module cannot be loaded
 */
export async function hostedPanel(
  config: Pick<AtlasConfig, "judge" | "judges" | "teacher" | "rules">,
): Promise<Panel> {
  const otherwise = lacksModel(config)
    ? (modelOf(config.teacher) ?? (await detectModel()).client)
    : undefined;
  return configuredPanel(config, otherwise);
}
