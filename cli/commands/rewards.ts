import type { RewardGroup } from "../../derivation/reports/reward-report.ts";
import type { Promoted } from "../../derivation/rescore/promote.ts";
import { readRubric } from "../../derivation/rescore/read-rubric.ts";
import type { Rescored } from "../../derivation/rescore/rescore.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { oneLine, print, printJson, startProgress, style, table } from "../output.ts";
import { histogram } from "../plots/histogram.ts";
import { trend } from "../plots/trend.ts";
import { type CommonOptions, interruptSignal } from "../program.ts";
import { type ReportFlags, reportToShow, simulatedColumn, tellLeftOut } from "../report-to-show.ts";
import { rescoreLines } from "../rescore-lines.ts";
import { withAtlas } from "../session.ts";

interface RescoreFlags extends CommonOptions {
  rubric: string;
  branch?: string;
  threshold?: string;
  promote?: boolean;
}

const fixed = (value: number | null): string => value?.toFixed(2) ?? "–";

/** `atlas rewards report`. */
export async function report(options: ReportFlags): Promise<void> {
  const found = await reportToShow(options, {
    ask: (atlas, asked) => atlas.rewards.report(asked),
    thing: "session with a reward",
    none: "No session has a reward.",
  });
  if (found === undefined) return;
  const { by } = options;
  const lines = table<RewardGroup>(found.groups, [
    { title: by ?? "", value: ({ group }) => oneLine(group, 40) },
    { title: "Sessions", value: ({ sessions }) => String(sessions), align: "right" },
    ...simulatedColumn(found.groups),
    { title: "Mean", value: ({ mean }) => fixed(mean), align: "right" },
    { title: "±", value: ({ stddev }) => fixed(stddev), align: "right" },
    { title: "Least", value: ({ least }) => fixed(least), align: "right" },
    { title: "Median", value: ({ median }) => fixed(median), align: "right" },
    { title: "Most", value: ({ greatest }) => fixed(greatest), align: "right" },
    { title: "Uncertainty", value: ({ uncertainty }) => fixed(uncertainty), align: "right" },
    { title: "Escalated", value: ({ escalated }) => String(escalated), align: "right" },
    { title: "Oldest → newest, 0 to 1", value: (group) => trend(group.trend, 0, 1) },
  ]);
  for (const line of lines) print(line);
  tellLeftOut(found.simulatedLeftOut);
  for (const { group, scores } of found.groups.slice(0, by === undefined ? 1 : 6)) {
    print();
    print(style("bold", `Rewards of ${oneLine(group, 60)}`));
    for (const line of histogram([{ title: group, values: scores, look: "cyan" }])) print(line);
  }
  if (by !== undefined && found.groups.length > 6) print(`… and ${found.groups.length - 6} more groups`);
}

function thresholdOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a number from 0 to 1`, {
    where: "--threshold",
  });
}

const promotedLine = ({ branch, revised }: Promoted): string =>
  `${branch} is current, for old sessions and new ones: ${revised} rewards and assessments were revised. Put its rubric into the configuration, too: rules that change there later count again.`;

/** `atlas rewards rescore`. */
export async function runRescore(options: RescoreFlags): Promise<void> {
  const signal = interruptSignal();
  const rubric = readRubric(options.rubric);
  const threshold = thresholdOf(options.threshold);
  const progress = startProgress(options.quiet);
  const onProgress = (events: number): void => progress.update(`Computing: ${events} events`);
  const done = await withAtlas(
    options,
    async (atlas): Promise<{ rescored: Rescored; promoted?: Promoted }> => {
      await atlas.settled({ signal });
      const { rules, config } = atlas;
      const standing = await rules.ensure(config.rules);
      const { auto_approve } = config.rules.review;
      const rescored = await atlas.rewards.rescore({
        rubric,
        branch: options.branch,
        rules: rules.lookup(standing),
        threshold: threshold ?? (auto_approve === "off" ? undefined : auto_approve.min_reward),
        onProgress,
        signal,
      });
      if (options.promote !== true) return { rescored };
      return {
        rescored,
        promoted: await atlas.rewards.promote({ branch: rescored.branch, onProgress, signal }),
      };
    },
    { bulk: true },
  );
  progress.done();
  if (options.json === true) {
    printJson({ ...done.rescored, ...(done.promoted && { promoted: done.promoted }) });
    return;
  }
  for (const line of rescoreLines(done.rescored)) print(line);
  if (done.promoted !== undefined) print(promotedLine(done.promoted));
  else if (options.quiet !== true)
    print(`Nothing live has changed. \`atlas rewards promote ${done.rescored.branch}\` makes it current.`);
}

/** `atlas rewards promote`. */
export async function runPromote(
  branch: string,
  options: CommonOptions & { author?: string },
): Promise<void> {
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const onProgress = (events: number): void => progress.update(`Computing: ${events} events`);
  const promoted = await withAtlas(
    options,
    ({ rewards }) => rewards.promote({ branch, author: options.author, onProgress, signal }),
    { bulk: true },
  );
  progress.done();
  if (options.json === true) printJson(promoted);
  else print(promotedLine(promoted));
}
