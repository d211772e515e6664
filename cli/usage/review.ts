import { Argument, type Command, Option } from "commander";
import { REVIEW_STATUSES } from "../../schemas/vocabulary.ts";
import { lazily, withCommonOptions } from "../program.ts";
import { simulatedOption } from "./simulated-option.ts";

const commands = () => import("../commands/review.ts");

const one = (): Argument => new Argument("<id>", "UUID, an unambiguous prefix of it, or the integer");

const status = (): Argument => new Argument("[id...]", "UUID, an unambiguous prefix of it, or the integer");

function decideCommand(
  review: Command,
  name: string,
  decision: "approved" | "quarantined",
  what: string,
): void {
  withCommonOptions(review.command(name).addArgument(status()))
    .description(what)
    .option("--note <text>", "why; kept with the decision")
    .option("--author <name>", "who decides, instead of ATLAS_REVIEWER or the user of the system")
    .option("--all", "every session with the status of --status")
    .addOption(new Option("--status <status>", "with --all").choices([...REVIEW_STATUSES]).default("pending"))
    .option("--learning-key <key>", "with --all: of this learning key only")
    .addOption(
      new Option("--drift <drift>", "with --all: with a drift alert, or without").choices(["alert", "ok"]),
    )
    .option("--min-reward <score>", "with --all: with at least this reward")
    .option("--max-reward <score>", "with --all: with at most this reward")
    .addOption(simulatedOption("with --all: "))
    .action(lazily(async () => (await commands()).decide(decision)));
}

/** `atlas review` and `arc-atlas review`. */
export function reviewCommand(program: Command): void {
  const review = program.command("review").description("decide which sessions may be trained on");
  withCommonOptions(review.command("list").alias("sessions"))
    .description("sessions by review status, with drift and reward")
    .addOption(new Option("--status <status...>", "only these").choices([...REVIEW_STATUSES]))
    .option("--limit <n>", "most sessions of each status", "20")
    .option("--offset <n>", "skip the newest n of each status", "0")
    .option("--learning-key <key>", "only of this learning key")
    .addOption(new Option("--drift <drift>", "only with a drift alert, or without").choices(["alert", "ok"]))
    .option("--min-reward <score>", "only with at least this reward")
    .option("--max-reward <score>", "only with at most this reward")
    .addOption(simulatedOption())
    .action(lazily(async () => (await commands()).list));
  decideCommand(review, "approve", "approved", "let sessions into training sets");
  decideCommand(review, "quarantine", "quarantined", "keep sessions out of training sets");
  withCommonOptions(review.command("history").addArgument(one()))
    .description("every word on a session: by whom, because of what, and what it overrode")
    .action(lazily(async () => (await commands()).history));
  withCommonOptions(review.command("diff").addArgument(one()))
    .description("the last change of a session's review: from what to what, and why")
    .action(lazily(async () => (await commands()).diff));
}
