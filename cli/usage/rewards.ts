import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";
import { withReportOptions } from "./report-options.ts";

const commands = () => import("../commands/rewards.ts");

/** `atlas rewards`. */
export function rewardCommands(program: Command): void {
  const rewards = program.command("rewards").description("what judgements come to");
  withReportOptions(rewards.command("report"))
    .description("how rewards are distributed, and how they went")
    .action(lazily(async () => (await commands()).report));
  withCommonOptions(rewards.command("rescore"))
    .description("what every session would be rewarded with under another rubric; no model is asked")
    .requiredOption("--rubric <file>", "YAML or JSON: aggregation, weights, thresholds")
    .option(
      "--branch <name>",
      "where the results go, apart from what holds; named after the rubric unless told",
    )
    .option(
      "--threshold <score>",
      "the score that sessions are told to cross; that of auto_approve, else 0.8",
    )
    .option("--promote", "make it the current one, for old sessions and new ones")
    .action(lazily(async () => (await commands()).runRescore));
  withCommonOptions(rewards.command("promote <branch>"))
    .description("make the results of a rescore the current ones, for old sessions and new ones")
    .option("--author <name>", "who says so, instead of ATLAS_REVIEWER or the user of the system")
    .action(lazily(async () => (await commands()).runPromote));
}
