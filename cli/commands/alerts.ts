import type { AlertDelivery } from "../../app/alerting.ts";
import { count } from "../count.ts";
import { oneLine, print, printJson, table } from "../output.ts";
import type { CommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";

interface ListOptions extends CommonOptions {
  all?: boolean;
  limit: string;
}

interface RetryOptions extends CommonOptions {
  destination?: string;
}

/** `atlas alerts list`. */
export async function list(options: ListOptions): Promise<void> {
  await withAtlas(
    options,
    async ({ alerts }) => {
      const limit = count(options.limit, "--limit", 1);
      const deliveries = await alerts.list({ all: options.all === true, limit });
      if (options.json === true) return printJson(deliveries);
      if (deliveries.length === 0)
        return print(options.all === true ? "There is no alert." : "No alert waits or has failed.");
      for (const line of table<AlertDelivery>(deliveries, [
        { title: "CREATED", value: ({ createdAt }) => createdAt.toISOString().slice(0, 19) },
        { title: "DESTINATION", value: ({ destination }) => destination },
        { title: "STATUS", value: ({ status }) => status },
        { title: "ATTEMPTS", value: ({ attempts }) => String(attempts), align: "right" },
        { title: "KIND", value: ({ kind }) => kind },
        { title: "LEARNING KEY", value: ({ learningKey }) => oneLine(learningKey ?? "", 24) },
        { title: "SESSION", value: ({ sessionId }) => sessionId ?? "" },
        { title: "PROBLEM", value: ({ lastError }) => oneLine(lastError ?? "", 80) },
      ]))
        print(line);
    },
    { consumers: false },
  );
}

/** `atlas alerts retry`. */
export async function retry(options: RetryOptions): Promise<void> {
  await withAtlas(
    options,
    async ({ alerts }) => {
      const retried = await alerts.retry({ destination: options.destination });
      if (options.json === true) printJson({ retried });
      else print(`${retried} failed ${retried === 1 ? "alert is" : "alerts are"} due again.`);
    },
    { consumers: false },
  );
}
