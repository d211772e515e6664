import { join, resolve } from "node:path";
import type { CoreCheckout } from "./core-checkout.ts";
import { hydraValue } from "./hydra-override.ts";

/** What a training run is told. */
export interface TrainingSettings {
  /** Atlas Core's primary configuration; its own default unless told. */
  configName?: string | undefined;
  /** Name in Atlas Core's group `data`; runtime_traces unless told. */
  dataConfig?: string | undefined;
  /** Name in Atlas Core's group `trainer`; grpo unless told. */
  trainerConfig?: string | undefined;
  /** Name in Atlas Core's group `model`. */
  modelConfig?: string | undefined;
  /** Share of the sessions' records that are kept for evaluation, from 0 to below 1. */
  evalRatio?: number | undefined;
  /** Most records to train on. */
  maxSamples?: number | undefined;
  /** Folder of checkpoints, from the working directory; one of its own in the checkout's results unless told. */
  outputDir?: string | undefined;
  wandbProject?: string | undefined;
  wandbRunName?: string | undefined;
  /** Further Hydra overrides, passed on as they are, after all others. */
  overrides?: readonly string[] | undefined;
}

/** A training run, ready to be started. */
export interface TrainingCommand {
  /** The arguments that Python is given. */
  args: string[];
  /** Where checkpoints go. */
  checkpoint: string;
}

/** A name that is new to the second, and sorts by time. */
const stamp = (at: Date): string => at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");

/**
 * The command that trains on a dataset. Atlas Core's own pipeline script names a key that its configuration does not
 * have, so Hydra would refuse it; these are overrides of keys that exist.
 *
 * @param dataset path of the JSONL file
 * @example
 * trainingCommand(coreCheckout(), "/data/traces.jsonl", { trainerConfig: "gkd" }).args;
 */
export function trainingCommand(
  core: CoreCheckout,
  dataset: string,
  settings: TrainingSettings = {},
  now = new Date(),
): TrainingCommand {
  const { configName, dataConfig = "runtime_traces", trainerConfig = "grpo", modelConfig } = settings;
  const checkpoint =
    settings.outputDir === undefined
      ? join(core.path, "results", `atlas-${stamp(now)}`)
      : resolve(settings.outputDir);
  const values: [string, string | number | undefined][] = [
    ["data@_global_", dataConfig],
    ["trainer@_global_", trainerConfig],
    ["model@_global_", modelConfig],
    ["dataset_path", resolve(dataset)],
    ["eval_split_ratio", settings.evalRatio],
    ["dataset_max_samples", settings.maxSamples],
    ["output_dir", checkpoint],
    ["wandb_project", settings.wandbProject],
    ["wandb_run_name", settings.wandbRunName],
  ];
  return {
    args: [
      ...core.entry,
      ...(configName === undefined ? [] : ["--config-name", configName]),
      ...values.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${hydraValue(value)}`])),
      ...(settings.overrides ?? []),
    ],
    checkpoint,
  };
}
