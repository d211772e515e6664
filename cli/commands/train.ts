import { join } from "node:path";
import type { Atlas } from "../../app/open-atlas.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { refuseForeign } from "../../sinks/jsonl/export-sessions.ts";
import { type CoreCheckout, coreCheckout } from "../../sinks/training/core-checkout.ts";
import { launchTraining, shownCommand } from "../../sinks/training/launch-training.ts";
import { writeSampleDataset } from "../../sinks/training/sample-dataset.ts";
import { trainingCommand } from "../../sinks/training/training-command.ts";
import { exportedFile, type TrainingFile, trainingFileOf } from "../../sinks/training/training-data.ts";
import { leftOutLine } from "../dataset-flags.ts";
import { type CheckedExport, checkedExport, type ExportFlags } from "../export-flags.ts";
import { print, printJson, startProgress, tell } from "../output.ts";
import { withAtlas } from "../session.ts";

interface TrainFlags extends ExportFlags {
  output?: string;
  dataset?: string;
  useSampleDataset?: boolean;
  atlasCorePath?: string;
  python?: string;
  configName?: string;
  dataConfig?: string;
  trainerConfig?: string;
  modelConfig?: string;
  evalRatio?: string;
  maxSamples?: string;
  outputDir?: string;
  wandbProject?: string;
  wandbRunName?: string;
  override?: string[];
  dryRun?: boolean;
}

function numberOf(text: string | undefined, flag: string, fits: (value: number) => boolean, wanted: string) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && fits(value)) return value;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not ${wanted}`, { where: flag });
}

function settingsOf(flags: TrainFlags) {
  const { configName, dataConfig, trainerConfig, modelConfig, outputDir, wandbProject, wandbRunName } = flags;
  return {
    ...{ configName, dataConfig, trainerConfig, modelConfig, outputDir, wandbProject, wandbRunName },
    overrides: flags.override,
    evalRatio: numberOf(
      flags.evalRatio,
      "--eval-ratio",
      (value) => value >= 0 && value < 1,
      "a share from 0 to below 1",
    ),
    maxSamples: numberOf(
      flags.maxSamples,
      "--max-samples",
      (value) => Number.isInteger(value) && value > 0,
      "a whole number from 1",
    ),
  };
}

/** Sorts by time, and is a name everywhere. */
const stamp = (at: Date): string => at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");

/** The file that is trained on: one that is there, two made-up sessions, or an export. */
async function dataOf(
  atlas: Atlas,
  flags: TrainFlags,
  core: CoreCheckout,
  exportSessions: CheckedExport,
): Promise<TrainingFile> {
  if (flags.dataset !== undefined) return trainingFileOf(flags.dataset);
  const output = flags.output ?? join(core.path, "exports", `${stamp(new Date())}.jsonl`);
  if (flags.useSampleDataset === true) {
    if (flags.force !== true) await refuseForeign(output);
    const { path, sha256 } = await writeSampleDataset(output);
    return { path, digest: sha256, sessions: 2 };
  }
  await atlas.settled();
  const progress = startProgress(flags.quiet);
  const summary = await exportSessions(atlas, {
    output,
    onProgress: (sessions) => progress.update(`${sessions} sessions`),
  }).finally(() => progress.done());
  const leftOut = leftOutLine(summary.manifest.left_out.simulated);
  if (leftOut !== undefined && flags.quiet !== true) tell(leftOut);
  return exportedFile(summary);
}

/** `atlas train`. */
export async function run(flags: TrainFlags): Promise<void> {
  if (flags.dataset !== undefined && flags.useSampleDataset === true)
    throw new AtlasError("ATLAS_USAGE", "a dataset and the sample dataset exclude each other", {
      where: "--dataset",
    });
  const settings = settingsOf(flags);
  const exportSessions = checkedExport(flags);
  const core = coreCheckout(flags.atlasCorePath);
  const { python } = flags;
  const exitCode = await withAtlas(flags, async (atlas) => {
    const data = await dataOf(atlas, flags, core, exportSessions);
    const command = trainingCommand(core, data.path, settings);
    const shown = shownCommand({ core, command, python });
    const about = { file: data.path, sha256: data.digest, sessions: data.sessions, command: shown };
    if (flags.dryRun === true) {
      if (flags.json === true) printJson(about);
      else print(shown);
      return 0;
    }
    if (flags.quiet !== true) {
      tell(`${data.sessions} sessions in ${data.path}`);
      tell(shown);
    }
    const outcome = await launchTraining({ core, command, data, log: atlas.log, python });
    if (flags.json === true) printJson({ ...about, ...outcome });
    else if (flags.quiet !== true)
      tell(
        outcome.checkpoint === undefined
          ? `Ended with exit code ${outcome.exitCode}; there is no checkpoint in ${command.checkpoint}`
          : `Ended with exit code ${outcome.exitCode}; checkpoint ${outcome.checkpoint}`,
      );
    return outcome.exitCode;
  });
  process.exitCode = exitCode;
}
