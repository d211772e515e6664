import type { Command } from "commander";

/** Adds the options of `atlas run` to its command. */
export function withRunFlags(command: Command): Command {
  return command
    .requiredOption("--task <text>", "what is to be done")
    .option("--path <folder>", "the project's folder, whose .env and .atlas are used", ".")
    .option("--learning-key <key>", "group of sessions that learn from each other")
    .option("--ground-truth <text>", "a known good answer: judges see it, the agent does not")
    .option(
      "--tag <tag>",
      "label of the session, beside the configured ones; may be repeated",
      (tag: string, tags: string[]) => [...tags, tag],
      [],
    )
    .option("--project <name>", "project of the session")
    .option("--tenant <name>", "tenant of the session")
    .option("--metadata <json>", "a JSON object that is kept with the session; triage reads it")
    .option("--lane <lane>", "auto, paired or coach; or probe: the configured probe chooses")
    .option("--execution-mode <mode>", "single_shot or stepwise, whatever the lane")
    .option("--concurrency <n>", "most steps of a plan at a time")
    .option("--max-retries <n>", "further attempts after a rejected one, 0 to 10")
    .option("--deadline <seconds>", "until the session fails for want of time")
    .option("--step-timeout <seconds>", "for all attempts at a step")
    .option("--rollouts <n>", "run the task so many times, as one group", "1")
    .option("--group-id <id>", "name of the session's group; rollouts get one of their own without it");
}
