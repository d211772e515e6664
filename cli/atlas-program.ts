import { packageInfo } from "../configs/package-info.ts";
import { newProgram, runProgram } from "./program.ts";
import { alertCommands } from "./usage/alerts.ts";
import { configCommands } from "./usage/config.ts";
import { datasetCommands } from "./usage/dataset.ts";
import { deadLetterCommands } from "./usage/dead-letters.ts";
import { doctorCommand } from "./usage/doctor.ts";
import { driftCommands } from "./usage/drift.ts";
import { exportCommand } from "./usage/export.ts";
import { importCommand } from "./usage/import.ts";
import { logCommands } from "./usage/log.ts";
import { processorCommands } from "./usage/processors.ts";
import { quickstartCommand } from "./usage/quickstart.ts";
import { rebuildCommand } from "./usage/rebuild.ts";
import { reviewCommand } from "./usage/review.ts";
import { rewardCommands } from "./usage/rewards.ts";
import { runCommand } from "./usage/run.ts";
import { sessionsCommand } from "./usage/sessions.ts";
import { trainCommand } from "./usage/train.ts";
import { triageCommands } from "./usage/triage.ts";
import { workerCommand } from "./usage/worker.ts";

/** `atlas`. */
export async function main(args: readonly string[]): Promise<void> {
  const program = newProgram(
    "atlas",
    "Turn what your LLM agents do into training data.",
    packageInfo().version,
  );
  for (const add of [
    quickstartCommand,
    runCommand,
    importCommand,
    sessionsCommand,
    reviewCommand,
    rewardCommands,
    driftCommands,
    exportCommand,
    datasetCommands,
    trainCommand,
    rebuildCommand,
    workerCommand,
    logCommands,
    deadLetterCommands,
    processorCommands,
    alertCommands,
    configCommands,
    triageCommands,
    doctorCommand,
  ]) {
    add(program);
  }
  await runProgram(program, args);
}
