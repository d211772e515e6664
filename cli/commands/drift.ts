import type { DriftGroup, ReportedAlert } from "../../derivation/reports/drift-report.ts";
import { sinceOf } from "../../derivation/reports/since.ts";
import { isoOf, nowMicros } from "../../schemas/identity.ts";
import { nothingMatches } from "../nothing-found.ts";
import { oneLine, print, printJson, table } from "../output.ts";
import { bar } from "../plots/histogram.ts";
import { trend } from "../plots/trend.ts";
import { interruptSignal } from "../program.ts";
import { READING, withAtlas } from "../session.ts";
import { type ReportFlags, simulatedColumn, tellLeftOut } from "./rewards.ts";

/** How many alerts are listed. */
const SHOWN = 20;

function reasonLines(groups: readonly DriftGroup[]): string[] {
  const reasons = new Map<string, number>();
  for (const group of groups)
    for (const [reason, count] of Object.entries(group.reasons))
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  const sorted = [...reasons].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
  const widest = sorted.reduce((longest, [reason]) => Math.max(longest, reason.length), 0);
  const most = sorted[0]?.[1] ?? 1;
  return sorted.map(([reason, count]) => `${reason.padEnd(widest)} │${bar(count / most, 40)} ${count}`);
}

/** `atlas drift report`. */
export async function report(options: ReportFlags): Promise<void> {
  const signal = interruptSignal();
  const since = options.since === undefined ? undefined : sinceOf(options.since, nowMicros());
  const { by, learningKey, branch, includeSimulated } = options;
  const { found, all } = await withAtlas(
    options,
    async (atlas) => {
      await atlas.settled({ signal });
      const found = await atlas.drift.report({ by, since, learningKey, branch, includeSimulated });
      return found.sessions > 0
        ? { found, all: found.sessions }
        : { found, all: (await atlas.drift.report({ includeSimulated })).sessions };
    },
    READING,
  );
  if (options.json === true) {
    printJson(found);
    return;
  }
  if (found.groups.length === 0) {
    const narrowing =
      found.sessions > 0
        ? { "--by": by }
        : { "--since": options.since, "--learning-key": learningKey, "--branch": branch };
    print(nothingMatches("assessed session", narrowing, all) ?? "No session has been assessed.");
    tellLeftOut(found.simulatedLeftOut);
    return;
  }
  const lines = table<DriftGroup>(found.groups, [
    { title: by ?? "", value: ({ group }) => oneLine(group, 40) },
    ...simulatedColumn(found.groups),
    { title: "Assessed", value: ({ assessed }) => String(assessed), align: "right" },
    { title: "Too early", value: ({ insufficient }) => String(insufficient), align: "right" },
    {
      title: "Alerts",
      value: ({ alerts }) => String(alerts),
      align: "right",
      look: ({ alerts }) => (alerts > 0 ? "red" : undefined),
    },
    { title: "Declines", value: ({ declines }) => String(declines), align: "right" },
    { title: "Improvements", value: ({ improvements }) => String(improvements), align: "right" },
    {
      title: "Alerts, oldest → newest",
      value: (group) =>
        trend(
          group.trend.map((count) => (count === 0 ? null : count)),
          0,
          group.trend.reduce((highest, count) => Math.max(highest, count), 1),
        ),
    },
  ]);
  for (const line of lines) print(line);
  tellLeftOut(found.simulatedLeftOut);
  if (found.alerts.length === 0) return;
  if (by === undefined) {
    print();
    for (const line of reasonLines(found.groups)) print(line);
  }
  print();
  const listed = table<ReportedAlert>(found.alerts.slice(0, SHOWN), [
    { title: "Completed", value: ({ completedAt }) => isoOf(completedAt).slice(0, 19).replace("T", " ") },
    { title: "Session", value: ({ sessionId }) => sessionId },
    { title: "Direction", value: ({ direction }) => direction ?? "" },
    { title: "What", value: ({ message, reason }) => oneLine(message ?? reason ?? "", 90) },
  ]);
  for (const line of listed) print(line);
  if (found.alerts.length > SHOWN) print(`… and ${found.alerts.length - SHOWN} more: --json has all`);
}
