#!/usr/bin/env node
import type { Command } from "commander";
import { packageInfo } from "../configs/package-info.ts";
import { alertCommands } from "./commands/alerts.ts";
import { configCommands } from "./commands/config.ts";
import { datasetCommands } from "./commands/dataset.ts";
import { deadLetterCommands } from "./commands/dead-letters.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { driftCommands } from "./commands/drift.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { logCommands } from "./commands/log.ts";
import { quickstartCommand } from "./commands/quickstart.ts";
import { rebuildCommand } from "./commands/rebuild.ts";
import { reviewCommand } from "./commands/review.ts";
import { rewardCommands } from "./commands/rewards.ts";
import { runCommand } from "./commands/run.ts";
import { sessionsCommand } from "./commands/sessions.ts";
import { trainCommand } from "./commands/train.ts";
import { triageCommands } from "./commands/triage.ts";
import { workerCommand } from "./commands/worker.ts";
import { newProgram, runProgram } from "./program.ts";

const program: Command = newProgram(
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
  alertCommands,
  configCommands,
  triageCommands,
  doctorCommand,
]) {
  add(program);
}
await runProgram(program, process.argv.slice(2));
