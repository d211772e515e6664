import { type Command, Option } from "commander";
import { REVIEW_STATUSES } from "../../schemas/vocabulary.ts";
import { lazily, withCommonOptions } from "../program.ts";
import { SESSION_STATUS_NAMES } from "../statuses.ts";
import { simulatedOption } from "./simulated-option.ts";

const commands = () => import("../commands/sessions.ts");

/** `atlas sessions`. */
export function sessionsCommand(program: Command): void {
  const sessions = program.command("sessions").description("look at what was recorded");
  withCommonOptions(sessions.command("list"))
    .description("sessions, newest first")
    .option("--limit <n>", "most sessions", "50")
    .option("--offset <n>", "skip the newest n", "0")
    .option("--status <status...>", `only sessions with one of these: ${SESSION_STATUS_NAMES}`)
    .addOption(new Option("--review-status <status...>", "only these").choices([...REVIEW_STATUSES]))
    .option("--learning-key <key>", "only of this learning key")
    .addOption(simulatedOption())
    .action(lazily(async () => (await commands()).list));
  withCommonOptions(
    sessions.command("show").argument("<id>", "UUID, an unambiguous prefix of it, or the integer"),
  )
    .description("the tree of what happened in a session")
    .action(lazily(async () => (await commands()).show));
  withCommonOptions(
    sessions.command("erase").argument("<id>", "UUID, an unambiguous prefix of it, or the integer"),
  )
    .description("take a session out of the read models and all later datasets; its events stay in the log")
    .requiredOption("--reason <text>", "why; kept in the log")
    .option("--author <name>", "who decides, instead of ATLAS_REVIEWER or the user of the system")
    .action(lazily(async () => (await commands()).erase));
}
