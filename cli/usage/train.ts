import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";
import { withExportFlags } from "./export-options.ts";

const commands = () => import("../commands/train.ts");

const repeated = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `atlas train`. */
export function trainCommand(program: Command): void {
  const command = withExportFlags(
    withCommonOptions(program.command("train"))
      .description("export approved sessions, and start Atlas Core's training on them")
      .option("--output <file>", "file to export to; exports/<time>.jsonl in the checkout unless told")
      .option("--force", "replace a file that is no export")
      .option("--dataset <manifest>", "train on a dataset of atlas dataset build, or its folder, instead")
      .option("--use-sample-dataset", "train on two made-up sessions instead"),
  );
  command
    .option("--atlas-core-path <folder>", "checkout of Atlas Core; ATLAS_CORE_PATH unless told")
    .option("--python <path>", "Python to start; the checkout's own environment unless told")
    .option("--config-name <name>", "Atlas Core's primary configuration")
    .option("--data-config <name>", "name in its group data; runtime_traces unless told")
    .option("--trainer-config <name>", "name in its group trainer; grpo unless told")
    .option("--model-config <name>", "name in its group model")
    .option("--eval-ratio <share>", "share that is kept for evaluation")
    .option("--max-samples <n>", "most records to train on")
    .option("--output-dir <folder>", "folder of the checkpoints")
    .option("--wandb-project <name>", "project at Weights & Biases")
    .option("--wandb-run-name <name>", "run at Weights & Biases")
    .option("--override <key=value>", "a further Hydra override; may be repeated", repeated)
    .option("--dry-run", "export and print the command, without what is secret; start nothing")
    .addHelpText(
      "after",
      "\nThe exit code is that of the training; 1 when no session passes the filters, and nothing is started then; " +
        "2 when there is no checkout.",
    )
    .action(lazily(async () => (await commands()).run));
}
