import { type Command, Option } from "commander";
import { type AlertDelivery, alertDeliveries, retryAlerts } from "../../app/alerting.ts";
import { oneLine, print, printJson, table } from "../output.ts";
import { type CommonOptions, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";

interface ListOptions extends CommonOptions {
  all?: boolean;
  limit: string;
}

interface RetryOptions extends CommonOptions {
  destination?: string;
}

async function list(options: ListOptions): Promise<void> {
  await withAtlas(
    options,
    async ({ db }) => {
      const deliveries = await alertDeliveries(db, { all: options.all === true, limit: options.limit });
      if (options.json === true) return printJson(deliveries);
      if (deliveries.length === 0) return print("Every alert was delivered.");
      for (const line of table<AlertDelivery>(deliveries, [
        { title: "CREATED", value: ({ createdAt }) => createdAt.toISOString().slice(0, 19) },
        { title: "DESTINATION", value: ({ destination }) => destination },
        { title: "STATUS", value: ({ status }) => status },
        { title: "ATTEMPTS", value: ({ attempts }) => String(attempts), align: "right" },
        { title: "KIND", value: ({ kind }) => kind },
        { title: "LEARNING KEY", value: ({ learningKey }) => oneLine(learningKey, 24) },
        { title: "SESSION", value: ({ sessionId }) => sessionId ?? "" },
        { title: "PROBLEM", value: ({ lastError }) => oneLine(lastError ?? "", 80) },
      ]))
        print(line);
    },
    { consumers: false },
  );
}

async function retry(options: RetryOptions): Promise<void> {
  await withAtlas(
    options,
    async ({ db }) => {
      const retried = await retryAlerts(db, options.destination);
      if (options.json === true) printJson({ retried });
      else print(`${retried} failed ${retried === 1 ? "alert is" : "alerts are"} due again.`);
    },
    { consumers: false },
  );
}

/** `atlas alerts`. */
export function alertCommands(program: Command): void {
  const alerts = program.command("alerts").description("alerts on their way to their destinations");
  withCommonOptions(alerts.command("list"))
    .description("list alerts that wait or have failed")
    .addOption(new Option("--all", "also those delivered within the last 30 days"))
    .addOption(new Option("--limit <n>", "most to list, the newest first").default("100"))
    .action(list);
  withCommonOptions(alerts.command("retry"))
    .description("deliver failed alerts after all: consumers send them again")
    .addOption(new Option("--destination <name>", "only those to this destination"))
    .action(retry);
}
