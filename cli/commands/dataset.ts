import { existsSync } from "node:fs";
import {
  type BuildProgress,
  buildDataset,
  type ChangedSince,
  changedSince,
  DATASET_FORMATS,
  type DatasetDiff,
  type DatasetManifest,
  diffDatasets,
  type Reproduction,
  reproduceDataset,
  verifyDataset,
} from "../../app/datasets.ts";
import { explain } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import { readManifest } from "../../sinks/datasets/manifest.ts";
import type { SPLIT_KEYS } from "../../sinks/datasets/split.ts";
import { count } from "../count.ts";
import { boundOf, filtersOf, leftOutLine, type SimulatedFlag, splitOf } from "../dataset-flags.ts";
import { print, printJson, startProgress, table, tell } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal } from "../program.ts";
import { configOf, withAtlas, withLog } from "../session.ts";

interface BuildFlags extends CommonOptions, SimulatedFlag {
  output: string;
  from?: string;
  until?: string;
  where?: string[];
  includeIncomplete?: boolean;
  branch?: string;
  format: string;
  split?: string;
  splitBy?: (typeof SPLIT_KEYS)[number];
  seed?: string;
  shards: string;
  force?: boolean;
}

interface ReproduceFlags extends CommonOptions {
  output?: string;
  force?: boolean;
}

/** Most sessions of a kind that a comparison shows. */
const SHOWN = 20;

const progressText = ({ read, written }: Readonly<BuildProgress>): string =>
  written === 0 ? `${read} records read` : `${read} records read, ${written} sessions written`;

/** A log whose derived events are complete, as far as this process can see to it: on Kafka, workers do. */
function withCompleteLog<T>(
  options: CommonOptions,
  signal: AbortSignal,
  body: (log: EventLog) => Promise<T>,
): Promise<T> {
  if (configOf(options).log.kind === "kafka") return withLog(options, body);
  return withAtlas(
    options,
    async (atlas) => {
      await atlas.settled({ signal });
      return body(atlas.log);
    },
    { bulk: true },
  );
}

/** Why nothing may fall into a part. */
const WHY_EMPTY: Record<(typeof SPLIT_KEYS)[number], string> = {
  "learning-key":
    "sessions of one learning key stay together; --split-by task, group or session divides them",
  task: "sessions of one task stay together; --split-by group or session divides them",
  group: "there are too few groups and tasks",
  session: "there are too few sessions",
};

/** Says which parts nobody will find in the dataset. */
function tellEmptyParts({ split, files, not_written = [] }: DatasetManifest): void {
  if (split === null) return;
  const empty = Object.keys(split.parts).filter((part) => !files.some((file) => file.split === part));
  const [silent, none] = [true, false].map((fell) =>
    empty.filter((part) => not_written.some((file) => file.split === part && file.sessions > 0) === fell),
  ) as [string[], string[]];
  if (none.length > 0) tell(`warning: nothing fell into ${none.join(", ")}: ${WHY_EMPTY[split.by]}`);
  if (silent.length > 0)
    tell(
      `warning: no session in ${silent.join(", ")} gives a record of this format, so there is no such part`,
    );
}

/** `atlas dataset build`. */
export async function build(options: BuildFlags): Promise<void> {
  const { includeIncomplete } = options;
  const where = { ...filtersOf(options.where, options.includeSimulated), includeIncomplete };
  const from = boundOf(options.from, "--from");
  const until = boundOf(options.until, "--until");
  const split = splitOf(options.split);
  const seed = options.seed === undefined ? undefined : count(options.seed, "--seed", 0);
  const shards = count(options.shards, "--shards", 1);
  const { output, branch, format, splitBy, force } = options;
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const { folder, manifest } = await withCompleteLog(options, signal, (log) =>
    buildDataset(log, {
      ...{ output, from, until, where, branch, format, split, splitBy, seed, shards, force, signal },
      onProgress: (state) => progress.update(progressText(state)),
    }),
  ).finally(() => progress.done());
  if (options.json === true) printJson({ folder, manifest });
  if (options.json === true || options.quiet === true) return;
  const simulated = manifest.simulated_sessions === 0 ? "" : ` (${manifest.simulated_sessions} simulated)`;
  print(`Wrote ${manifest.sessions} sessions${simulated} as ${manifest.records} records to ${folder}`);
  for (const line of table(manifest.files, [
    { title: "File", value: ({ name }) => name },
    { title: "Sessions", value: ({ sessions }) => String(sessions), align: "right" },
    { title: "Records", value: ({ records }) => String(records), align: "right" },
    { title: "Bytes", value: ({ bytes }) => String(bytes), align: "right" },
    { title: "SHA-256", value: ({ sha256 }) => sha256.slice(0, 12) },
  ]))
    print(line);
  tellEmptyParts(manifest);
  const { filtered, incomplete, erased, duplicate, unreadable_records } = manifest.left_out;
  const passedBy = Object.entries({ filtered, incomplete, erased, duplicates: duplicate })
    .filter(([, number]) => number > 0)
    .map(([why, number]) => `${number} ${why}`);
  if (passedBy.length > 0) print(`Left out: ${passedBy.join(", ")}`);
  const leftOut = leftOutLine(manifest.left_out.simulated);
  if (leftOut !== undefined) print(leftOut);
  const without = Object.entries(manifest.without_records).map(([why, number]) => `${number} ${why}`);
  if (without.length > 0) print(`Without a record in this format: ${without.join(", ")}`);
  if (unreadable_records > 0) print(`${unreadable_records} records could not be read`);
  print(`digest ${manifest.digest}`);
}

/** What became of its sessions since, or why that is not known. */
type Since = ChangedSince | { unknown: string };

/** Looks into the log that a dataset was built from, where that is here. None is made for it. */
async function sinceOf(place: string, logId: string, options: CommonOptions): Promise<Since> {
  const { log: config } = configOf(options);
  if (config.kind === "embedded" && !existsSync(config.path)) return { unknown: "there is no log here" };
  try {
    return await withLog(options, async (log) =>
      log.id === logId
        ? await changedSince(log, place)
        : { unknown: `this is log ${log.id}, and it was built from ${logId}` },
    );
  } catch (error) {
    return { unknown: explain(error) };
  }
}

function tellSince(since: Since): void {
  if ("unknown" in since) {
    tell(`Whether sessions were quarantined or erased since is not known: ${since.unknown}`);
    return;
  }
  for (const what of ["quarantined", "erased"] as const) {
    const sessions = since[what];
    if (sessions.length === 0) continue;
    const more = sessions.length > SHOWN ? ` and ${sessions.length - SHOWN} more: --json lists all` : "";
    tell(`warning: ${sessions.length} of them ${what} since: ${sessions.slice(0, SHOWN).join(", ")}${more}`);
  }
}

/** `atlas dataset verify`. */
export async function verify(place: string, options: CommonOptions): Promise<void> {
  const { folder, manifest } = await verifyDataset(place);
  const { digest, sessions, files, log } = manifest;
  if (options.json !== true && options.quiet !== true)
    print(`${files.length} files with ${sessions} sessions are what the manifest says. digest ${digest}`);
  const since = await sinceOf(place, log.id, options);
  if (options.json === true) printJson({ folder, digest, sessions, files: files.length, since });
  else if (options.quiet !== true || !("unknown" in since)) tellSince(since);
  if (!("unknown" in since) && since.quarantined.length + since.erased.length > 0)
    process.exitCode = EXIT.partial;
}

function tellReproduction({ identical, changedFiles, versions, folder, manifest }: Reproduction): void {
  if (identical) print(`The same bytes: ${manifest.sessions} sessions, digest ${manifest.digest}`);
  else {
    print(
      `The same records, digest ${manifest.digest}, and other bytes in ${changedFiles.join(", ")}: ` +
        `the dataset was built by version ${versions.manifest}, and this is ${versions.here}.`,
    );
  }
  if (folder !== undefined) print(`Kept in ${folder}`);
}

/** `atlas dataset reproduce`. */
export async function reproduce(place: string, options: ReproduceFlags): Promise<void> {
  const { output, force } = options;
  const signal = interruptSignal();
  // No log is made for what cannot be read.
  await readManifest(place);
  const progress = startProgress(options.quiet);
  const result = await withLog(options, (log) =>
    reproduceDataset(log, place, {
      output,
      force,
      signal,
      onProgress: (state) => progress.update(progressText(state)),
    }),
  ).finally(() => progress.done());
  if (options.json === true) {
    const { identical, sameRecords, changedFiles, versions, folder, manifest } = result;
    printJson({ identical, sameRecords, changedFiles, versions, folder, digest: manifest.digest });
  } else if (options.quiet !== true) tellReproduction(result);
}

const reward = (value: number | null): string => value?.toFixed(2) ?? "–";

/** One line for each session that differs. */
const rowsOf = ({ added, removed, rewardsMoved, splitsMoved, otherwiseChanged }: DatasetDiff): string[][] => [
  ...added.map(({ session_id, reward: now }) => ["added", session_id, reward(now)]),
  ...removed.map(({ session_id, reward: was }) => ["removed", session_id, reward(was)]),
  ...rewardsMoved.map(({ session_id, reward: [was, now] }) => [
    "reward",
    session_id,
    `${reward(was)} → ${reward(now)}`,
  ]),
  ...splitsMoved.map(({ session_id, split: [was, now] }) => [
    "part",
    session_id,
    `${was ?? "–"} → ${now ?? "–"}`,
  ]),
  ...otherwiseChanged.map((session_id) => ["changed", session_id, ""]),
];

/** `atlas dataset diff`. */
export async function diff(before: string, after: string, options: CommonOptions): Promise<void> {
  const found = await diffDatasets(before, after);
  if (options.json === true) {
    printJson(found);
    return;
  }
  const { added, removed, rewardsMoved, splitsMoved, otherwiseChanged, unchanged, digests } = found;
  if (options.quiet !== true && digests[0] === digests[1]) print("The same records in both.");
  print(
    `${added.length} added, ${removed.length} removed, ${rewardsMoved.length} rewards moved, ` +
      `${splitsMoved.length} in another part, ${otherwiseChanged.length} changed otherwise, ${unchanged} unchanged`,
  );
  const rows = rowsOf(found);
  if (rows.length === 0) return;
  for (const line of table(rows.slice(0, SHOWN), [
    { title: "What", value: ([what]) => what! },
    { title: "Session", value: ([, session]) => session! },
    { title: "Reward or part", value: ([, , detail]) => detail! },
  ]))
    print(line);
  if (rows.length > SHOWN) print(`… and ${rows.length - SHOWN} more: --json lists all`);
}

/** `atlas dataset formats`. */
export function formats(options: CommonOptions): void {
  const rows = DATASET_FORMATS.map((format) => ({
    name: format.name,
    extension: format.extension,
    options: "choices" in format ? (format.choices as Record<string, string[]>) : {},
  }));
  if (options.json === true) {
    printJson(rows);
    return;
  }
  for (const line of table(rows, [
    { title: "Format", value: ({ name }) => name },
    { title: "Files", value: ({ extension }) => `.${extension}` },
    {
      title: "Options, the usual one first",
      value: ({ options }) =>
        Object.entries(options)
          .map(([name, values]) => `${name}=${values.join("|")}`)
          .join(" "),
    },
  ]))
    print(line);
}
