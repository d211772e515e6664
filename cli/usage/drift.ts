import type { Command } from "commander";
import { lazily } from "../program.ts";
import { withReportOptions } from "./report-options.ts";

const commands = () => import("../commands/drift.ts");

/** `atlas drift`. */
export function driftCommands(program: Command): void {
  const drift = program.command("drift").description("sessions that are unlike those before them");
  withReportOptions(drift.command("report"))
    .description("which sessions raised alerts, why, and when")
    .action(lazily(async () => (await commands()).report));
}
