import type { Command } from "commander";
import { EXPORT_CONDITIONS, INCLUDE_SIMULATED } from "../dataset-flags.ts";
import { SESSION_STATUS_NAMES } from "../statuses.ts";

/** Adds the flags of an export to a command. */
export const withExportFlags = (command: Command): Command =>
  command
    .option("--session-id <id...>", "only these, in this order: UUID, prefix or integer")
    .option("--limit <n>", "most sessions to write")
    .option("--offset <n>", "skip the newest n", "0")
    .option("--batch-size <n>", "most sessions that one query reads")
    .option("--trajectory-event-limit <n>", "only the newest n events of a session; all unless told")
    .option("--status <status...>", `only sessions with one of these: ${SESSION_STATUS_NAMES}`)
    .option("--include-status <status...>", "review statuses to add to approved")
    .option("--include-all-statuses", "whatever their review status")
    .option(...INCLUDE_SIMULATED)
    .option("--learning-key <key>", "only of this learning key")
    .option("--min-reward <score>", "only with at least this reward")
    .option("--where <condition...>", `name=value, with a name of ${EXPORT_CONDITIONS.join(", ")}`);
