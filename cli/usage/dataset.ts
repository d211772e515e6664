import { type Command, Option } from "commander";
import { SPLIT_KEYS } from "../../sinks/datasets/split.ts";
import { CONDITION_NAMES, INCLUDE_SIMULATED } from "../dataset-flags.ts";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/dataset.ts");
const quality = () => import("../commands/dataset-quality.ts");

const collected = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `atlas dataset`. */
export function datasetCommands(program: Command): void {
  const datasets = program.command("dataset").description("datasets from the log, that can be built again");
  withCommonOptions(datasets.command("build"))
    .description("write a dataset from the events of the log alone, whole or not at all")
    .requiredOption("--output <folder>", "folder of the dataset")
    .option("--where <condition...>", `name=value, with a name of ${CONDITION_NAMES.join(", ")}`)
    .option(...INCLUDE_SIMULATED)
    .option("--include-incomplete", "sessions of which something is missing, too")
    .option("--from <time|offset>", "only sessions that began here or later")
    .option("--until <time|offset>", "nothing after it is known")
    .option("--branch <name>", "rewards, drift and review statuses of a rescore")
    .option("--format <name>", "atlas dataset formats lists them", "atlas")
    .option("--split <shares>", "parts, such as train=0.9,eval=0.1")
    .addOption(
      new Option("--split-by <what>", "what stays in one part; groups of rollouts always do").choices([
        ...SPLIT_KEYS,
      ]),
    )
    .option("--seed <n>", "another number divides otherwise")
    .option("--shards <n>", "files of each part", "1")
    .option("--force", "replace a dataset that is there")
    .addHelpText(
      "after",
      "\nApproved sessions are taken unless --where review=… says otherwise. Exit code 1 when no session passes.",
    )
    .action(lazily(async () => (await commands()).build));
  withCommonOptions(datasets.command("verify"))
    .description(
      "check that the files are what the manifest says, and name sessions that were quarantined or erased since",
    )
    .argument("<manifest>", "manifest.json, or its folder")
    .addHelpText(
      "after",
      "\nExit code 3 when there are such sessions. They are looked for where the log is that it was built from.",
    )
    .action(lazily(async () => (await commands()).verify));
  withCommonOptions(datasets.command("test"))
    .description(
      "hold it against what is expected of it: leakage, repetitions, secrets, broken calls, length, balance",
    )
    .argument("<manifest>", "manifest.json, or its folder")
    .option("--expect <name=limit>", "another limit for a check; may be repeated", collected)
    .option("--skip <name>", "a check that is not made; may be repeated", collected)
    .option(
      "--max-length <n>",
      "tokens of the longest record, estimated as a quarter of its characters (4096)",
    )
    .addHelpText(
      "after",
      "\nExit code 1 when a check fails. Records are named by file, line and session; what they hold is not shown.",
    )
    .action(lazily(async () => (await quality()).test));
  withCommonOptions(datasets.command("stats"))
    .description("show what is in it: parts, lengths, rewards, tools, tasks and groups")
    .argument("<manifest>", "manifest.json, or its folder")
    .action(lazily(async () => (await quality()).stats));
  withCommonOptions(datasets.command("reproduce"))
    .description("build it again from the log, or a copy of it, and compare")
    .argument("<manifest>", "manifest.json, or its folder")
    .option("--output <folder>", "keep what was built")
    .option("--force", "replace a dataset that is there")
    .addHelpText(
      "after",
      "\nThe same package version gives the same bytes; with another one, the digest over the records decides.",
    )
    .action(lazily(async () => (await commands()).reproduce));
  withCommonOptions(datasets.command("diff"))
    .description("sessions that were added, removed or changed between two datasets")
    .argument("<before>", "manifest.json, or its folder")
    .argument("<after>", "manifest.json, or its folder")
    .action(lazily(async () => (await commands()).diff));
  withCommonOptions(datasets.command("formats"))
    .description("list the formats")
    .action(lazily(async () => (await commands()).formats));
}
