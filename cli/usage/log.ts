import { type Command, Option } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/log.ts");

/** `atlas log`. */
export function logCommands(program: Command): void {
  const log = program.command("log").description("the event log itself");
  withCommonOptions(log.command("tail"))
    .description("the newest events")
    .addOption(
      new Option(
        "--topic <topic...>",
        "only these topics, of Atlas or of your own events; all of them unless told",
      ),
    )
    .option("--limit <n>", "how many", "20")
    .action(lazily(async () => (await commands()).tail));
  withCommonOptions(log.command("verify"))
    .description("read the whole log: gaps, incomplete sessions, sessions that finished out of order")
    .addHelpText("after", "\nExit code 1 when something is missing.")
    .action(lazily(async () => (await commands()).verify));
  withCommonOptions(log.command("copy"))
    .description("copy it, byte for byte and with the same offsets, to another place")
    .requiredOption(
      "--to <place>",
      "folder, postgresql://… or kafka://host:port,… of the copy, or a YAML file with its log",
    )
    .option("--schema-registry-url <url>", "schema registry of a copy on Kafka")
    .addHelpText(
      "after",
      "\nIt may be interrupted and called again: it goes on where it stopped, and adds what is new. A target that " +
        "holds anything else is refused.",
    )
    .action(lazily(async () => (await commands()).copy));
  withCommonOptions(log.command("flush"))
    .description("append what processes that are gone left in the spool")
    .addHelpText("after", "\nExit code 3 when files are still there; each is listed with the reason.")
    .action(lazily(async () => (await commands()).flush));
}
