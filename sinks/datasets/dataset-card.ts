import { type Features, featureLines, hasJson } from "./features.ts";
import type { DatasetFormat } from "./format.ts";
import type { DatasetPart, Unsealed } from "./manifest.ts";
import type { RewardHistogram } from "./reward-histogram.ts";

/** What `datasets` calls the one part of a dataset that is not divided. */
const WHOLE = "train";

/** Names of parts as `datasets` takes them: no hyphens, and not `all`, which stands for every part there. */
function partNames(parts: readonly (string | null)[]): Map<string | null, string> {
  const names = new Map<string | null, string>();
  const used = new Set<string>();
  for (const part of parts) {
    const wanted = (part ?? WHOLE).replaceAll("-", "_");
    let name = wanted === "all" ? "all_" : wanted;
    while (used.has(name) || (name !== part && parts.includes(name))) name += "_";
    used.add(name);
    names.set(part, name);
  }
  return names;
}

const byPart = (files: readonly DatasetPart[]): Map<string | null, DatasetPart[]> =>
  Map.groupBy(files, ({ split }) => split);

function frontMatter(files: readonly DatasetPart[], features: Features | undefined): string[] {
  const parts = byPart(files);
  const names = partNames([...parts.keys()]);
  return [
    "---",
    "license: unknown",
    "configs:",
    "- config_name: default",
    "  data_files:",
    ...[...parts].flatMap(([part, own]) => [
      // Quotes, since a name may look like a number or a truth to YAML.
      `  - split: "${names.get(part)!}"`,
      "    path:",
      ...own.map(({ name }) => `    - "${name}"`),
    ]),
    ...(features === undefined ? [] : ["dataset_info:", "  features:", ...featureLines(features, "  ")]),
    "---",
  ];
}

const sum = (files: readonly DatasetPart[], key: "sessions" | "records"): number =>
  files.reduce((total, file) => total + file[key], 0);

function partTable({ files, not_written = [] }: Unsealed): string[] {
  const parts = byPart(files);
  const names = partNames([...parts.keys()]);
  const silent = Map.groupBy(not_written, ({ split }) => split);
  const empty = [...silent.keys()].filter((part) => !parts.has(part));
  return [
    "| part | files | sessions | records |",
    "| --- | --: | --: | --: |",
    ...[...parts].map(([part, own]) => {
      const without = (silent.get(part) ?? []).reduce((total, { sessions }) => total + sessions, 0);
      const sessions = sum(own, "sessions") + without;
      return `| ${names.get(part)!} | ${own.length} | ${sessions} | ${sum(own, "records")} |`;
    }),
    ...(empty.length === 0
      ? []
      : ["", `Without a record, and so without a file: ${empty.map((part) => part ?? "data").join(", ")}.`]),
  ];
}

function counts(counted: Readonly<Record<string, number>>, none: string): string[] {
  const rows = Object.entries(counted).filter(([, count]) => count > 0);
  return rows.length === 0 ? [none] : rows.map(([what, count]) => `- ${what}: ${count}`);
}

const JSON_NOTE =
  "Some paths hold values of any type, which `datasets` reads as `json`: release 5.2.0 does, release 3.2.0 ends with `'module' object is not callable`.";
const TEXT_NOTE = "For that one, build the dataset with the option `arguments=text`.";
const FILES_NOTE =
  'For that one, name the files: `load_dataset("json", data_files=[…])` guesses the types of each.';

function jsonNotes(format: DatasetFormat): string[] {
  if (!("encode" in format) || format.features === undefined || !hasJson(format.features)) return [];
  const hasText = "choices" in format && Object.hasOwn(format.choices as object, "arguments");
  return ["", `${JSON_NOTE} ${hasText ? TEXT_NOTE : FILES_NOTE}`];
}

const fenced = (language: string, lines: readonly string[]): string[] => [
  `\`\`\`${language}`,
  ...lines,
  "```",
];

/**
 * The card of a dataset: what people want to know of it, and before that, what `datasets` needs to load the folder. The
 * same dataset has the same card.
 */
export function cardText(manifest: Unsealed, format: DatasetFormat, rewards: RewardHistogram): string {
  const { files, filters, branch, split, left_out, without_records } = manifest;
  const [first] = partNames([...byPart(files).keys()]).values();
  const features = "encode" in format ? format.features : undefined;
  const { sessions, records, steps, simulated_sessions } = manifest;
  const divided =
    split === null
      ? ""
      : ` It is divided by ${split.by}, with the seed ${split.seed}; no group of rollouts is.`;
  return [
    ...frontMatter(files, features),
    "",
    "# Sessions of agents",
    "",
    `${records} records of ${sessions} sessions with ${steps} steps; ${simulated_sessions} sessions are simulated.${divided}`,
    "",
    ...partTable(manifest),
    "",
    "## Format",
    "",
    `\`${format.name}\`. ${format.about ?? "A format of one's own."}`,
    "",
    "## Loading it",
    "",
    ...fenced("python", [
      "from datasets import load_dataset",
      'dataset = load_dataset("path/to/this/folder")',
      `print(dataset["${first!}"][0])`,
    ]),
    ...jsonNotes(format),
    "",
    "`manifest.json` says how it was made, and `sessions.ndjson` which sessions are in it; neither is data.",
    "",
    "## Which sessions",
    "",
    "Approved ones that are whole and not simulated, as far as these conditions do not say otherwise:",
    "",
    ...fenced("json", JSON.stringify({ ...filters, branch }, null, 2).split("\n")),
    "",
    "Left out:",
    "",
    ...counts(left_out, "- nothing"),
    "",
    "In it, but without a record in this format:",
    "",
    ...counts(without_records, "- none"),
    "",
    "## Rewards of the sessions",
    "",
    ...fenced("text", rewards.lines()),
    "",
    "## Licence",
    "",
    "Unknown: whoever recorded the sessions decides.",
    "",
  ].join("\n");
}
