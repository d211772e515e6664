import {
  type CheckName,
  type CheckResult,
  type DatasetStats,
  datasetStats,
  type Quantiles,
  testDataset,
} from "../../app/datasets.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { count } from "../count.ts";
import { oneLine, print, printJson, startProgress, style, table } from "../output.ts";
import { bars } from "../plots/bars.ts";
import { type CommonOptions, EXIT, interruptSignal } from "../program.ts";

interface TestFlags extends CommonOptions {
  expect?: string[];
  skip?: string[];
  maxLength?: string;
}

/** Limits from texts such as `length=0.1`; whether there are such checks is looked at where they are made. */
function limitsOf(texts: readonly string[] = []): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name = "", limit = ""] = /^([^=]+)=(.+)$/.exec(text.trim()) ?? [];
      if (limit.trim() === "" || !Number.isFinite(Number(limit)))
        throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is no expectation`, {
          where: "--expect",
          hint: "Write name=limit, such as near-duplicates=0.05.",
        });
      return [name, Number(limit)];
    }),
  );
}

const SHARES: ReadonlySet<CheckName> = new Set([
  "near-duplicates",
  "secrets",
  "control-tokens",
  "tool-schemas",
  "empty",
  "length",
  "balance",
]);

/** A share in percent, with as many digits as tell it from 0. */
const percent = (share: number): string => {
  const hundredths = share * 100;
  return `${hundredths === 0 || hundredths >= 1 ? Number(hundredths.toFixed(1)) : Number(hundredths.toPrecision(2))} %`;
};

const measured = (name: CheckName, value: number): string =>
  SHARES.has(name) ? percent(value) : String(value);

function tellFaults({ name, found, faults }: CheckResult): void {
  if (faults.length === 0) return;
  print();
  print(style("bold", name));
  for (const line of table(faults, [
    { title: "Record", value: ({ file, line }) => `${file}:${line}` },
    { title: "Session", value: ({ session }) => session ?? "–" },
    { title: "Why", value: ({ why }) => why },
  ]))
    print(line);
  if (found > faults.length) print(`… and ${found - faults.length} more`);
}

const LOOKS = { holds: "green", fails: "red", skipped: "yellow", "not-checked": "yellow" } as const;

/** `atlas dataset test`. */
export async function test(place: string, options: TestFlags): Promise<void> {
  const expect = limitsOf(options.expect);
  const maxLength = options.maxLength === undefined ? undefined : count(options.maxLength, "--max-length", 1);
  const progress = startProgress(options.quiet);
  const tested = await testDataset(place, {
    ...{ expect, maxLength, signal: interruptSignal() },
    skip: options.skip as CheckName[] | undefined,
    onProgress: (records) => progress.update(`${records} records read`),
  }).finally(() => progress.done());
  const { checks, records, format, passed } = tested;
  if (!passed) process.exitCode = EXIT.failure;
  if (options.json === true) {
    printJson(tested);
    return;
  }
  const failed = checks.filter(({ status }) => status === "fails");
  if (options.quiet !== true) {
    print(`${records} records in the format ${format}, lengths up to ${tested.maxLength} tokens`);
    for (const line of table(checks, [
      { title: "Check", value: ({ name }) => name },
      { title: "Result", value: ({ status }) => status, look: ({ status }) => LOOKS[status] },
      {
        title: "Is",
        value: ({ name, value }) => (value === null ? "–" : measured(name, value)),
        align: "right",
      },
      { title: "Limit", value: ({ name, limit }) => measured(name, limit), align: "right" },
      { title: "Records", value: ({ found }) => String(found), align: "right" },
      { title: "What", value: ({ measures }) => measures },
    ]))
      print(line);
    for (const { name, note } of checks) if (note !== null) print(`${name}: ${note}`);
  }
  for (const check of failed) tellFaults(check);
  if (options.quiet !== true || failed.length > 0) {
    if (failed.length > 0) print();
    print(failed.length === 0 ? "Nothing fails." : `${failed.length} of ${checks.length} checks fail.`);
  }
}

const rounded = (value: number): string => String(Number(value.toFixed(2)));

interface Spread {
  title: string;
  of: Quantiles;
}

const spreadLines = (spreads: readonly Spread[]): string[] =>
  table(spreads, [
    { title: "A record has", value: ({ title }) => title },
    ...(["least", "p25", "median", "p75", "p95", "p99", "most", "mean"] as const).map((name) => ({
      title: name,
      value: ({ of }: Spread) => rounded(of[name]),
      align: "right" as const,
    })),
  ]);

function section(title: string, lines: readonly string[]): void {
  print();
  print(style("bold", title));
  for (const line of lines) print(line);
}

/** So many tools are shown. */
const MOST_TOOLS = 20;

function tellStats(stats: DatasetStats): void {
  const { records, format, tasks, groups, grouped, lengths, over, rewards, labels, tools } = stats;
  const inGroups =
    grouped === null ? "" : `, ${groups} groups of ${grouped.least} to ${grouped.most} records`;
  print(`${records} records in the format ${format}: ${tasks} different tasks${inGroups}`);
  print();
  for (const line of table(stats.parts, [
    { title: "Part", value: ({ part }) => part ?? "all" },
    { title: "Sessions", value: ({ sessions }) => String(sessions), align: "right" },
    { title: "Records", value: ({ records }) => String(records), align: "right" },
    { title: "Tokens", value: ({ tokens }) => String(tokens), align: "right" },
  ]))
    print(line);
  const spreads = [
    { title: "messages", of: stats.turns },
    { title: "calls", of: stats.calls },
    { title: "tokens", of: stats.tokens },
    { title: "reward", of: rewards.spread },
  ].filter((each): each is Spread => each.of !== null);
  print();
  for (const line of spreadLines(spreads)) print(line);
  section(
    "Records by tokens, estimated as a quarter of the characters",
    bars(
      lengths.map(({ upTo, records }) => ({
        title: upTo === null ? "more" : `≤ ${upTo}`,
        count: records,
      })),
    ),
  );
  print(over.map(({ length, share }) => `over ${length}: ${percent(share)}`).join(", "));
  const tenths = rewards.bins.map((count, bin) => ({
    title: `${(bin / 10).toFixed(1)}–${((bin + 1) / 10).toFixed(1)}`,
    count,
  }));
  section(
    "Records by reward",
    bars([
      ...tenths,
      { title: "none", count: rewards.absent },
      { title: "not known", count: rewards.unknown },
    ]),
  );
  if (labels !== null)
    section(
      "Records by label",
      bars([
        { title: "wanted", count: labels.wanted },
        { title: "unwanted", count: labels.unwanted },
      ]),
    );
  if (tools.length === 0) return;
  const shown = tools.slice(0, MOST_TOOLS);
  section(
    "Calls by tool",
    bars(shown.map(({ name, calls }) => ({ title: oneLine(name, 40), count: calls }))),
  );
  if (tools.length > shown.length) print(`… and ${tools.length - shown.length} more: --json lists all`);
}

/** `atlas dataset stats`. */
export async function stats(place: string, options: CommonOptions): Promise<void> {
  const progress = startProgress(options.quiet);
  const found = await datasetStats(place, {
    signal: interruptSignal(),
    onProgress: (records) => progress.update(`${records} records read`),
  }).finally(() => progress.done());
  if (options.json === true) printJson(found);
  else tellStats(found);
}
