import type { DriftGroup, ReportedAlert } from "../../derivation/reports/drift-report.ts";
import { isoOf } from "../../schemas/identity.ts";
import { oneLine, print, table } from "../output.ts";
import { bar } from "../plots/histogram.ts";
import { trend } from "../plots/trend.ts";
import { type ReportFlags, reportToShow, simulatedColumn, tellLeftOut } from "../report-to-show.ts";

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
  const found = await reportToShow(options, {
    ask: (atlas, asked) => atlas.drift.report(asked),
    thing: "assessed session",
    none: "No session has been assessed.",
  });
  if (found === undefined) return;
  const { by } = options;
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
