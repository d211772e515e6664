import { type Command, Option } from "commander";
import { GROUPINGS } from "../../derivation/reports/groupings.ts";
import { INCLUDE_SIMULATED } from "../dataset-flags.ts";
import { withCommonOptions } from "../program.ts";

/** Adds the options of a report to a command. */
export const withReportOptions = (command: Command): Command =>
  withCommonOptions(command)
    .addOption(new Option("--by <what>", "tell groups apart").choices([...GROUPINGS]))
    .option("--since <time>", "only sessions that completed since: a date, or a span such as 7d")
    .option("--learning-key <key>", "only of this learning key")
    .option("--branch <name>", "as a rescore has it, in place of what holds")
    .option(...INCLUDE_SIMULATED);
