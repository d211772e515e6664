import { join } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";
import { writeAtomically } from "../../files/atomic-file.ts";
import { explainWrite } from "../../files/explain-write.ts";
import { inOrder, SortedLines, type SortOptions } from "../../files/sorted-lines.ts";
import type { EventLog } from "../../log/event-log.ts";
import { createEvent } from "../../schemas/codec.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { nothingPasses } from "../jsonl/export-sessions.ts";
import { type Collected, collectSessions } from "./collect-sessions.ts";
import { cardText } from "./dataset-card.ts";
import { type NewFolder, newFolder } from "./dataset-folder.ts";
import { DatasetPlan } from "./dataset-plan.ts";
import type { DatasetFormat } from "./format.ts";
import { formatOf } from "./formats.ts";
import {
  CARD,
  type DatasetManifest,
  LAYOUT,
  type ListedSession,
  MANIFEST,
  manifestText,
  SESSIONS,
  sealed,
  type Unsealed,
} from "./manifest.ts";
import type { Recipe } from "./recipe.ts";
import { DatasetDigest } from "./record-digest.ts";
import { type DatasetFilters, refuseNonsense } from "./selection.ts";
import { refuseShards, refuseSplit, type Split } from "./split.ts";
import { type ReadableLog, refuseBounds, stretchesOf, type Window } from "./window.ts";
import { writeFiles } from "./write-files.ts";

/** What a build tells while it works. */
export interface BuildProgress {
  /** Events read of the log so far. */
  read: number;
  /** Sessions written so far. */
  written: number;
}

/** Which dataset to build, and where. */
export interface BuildOptions extends Window {
  /** The folder of the dataset: it appears whole or not at all. */
  output: string;
  /** Which sessions; approved ones that are not simulated unless told. */
  where?: DatasetFilters | undefined;
  /** Takes rewards, drift and review statuses of this branch, where it has any, in place of the live ones. */
  branch?: string | undefined;
  /** A format's name, or one of your own; `atlas` unless told: the lines of `atlas export`. */
  format?: string | DatasetFormat | undefined;
  /** The share of each part, such as `{ train: 0.9, eval: 0.1 }`; one part unless told. */
  split?: Readonly<Record<string, number>> | undefined;
  /** What stays together; `learning-key` unless told. A group of rollouts is never divided. */
  splitBy?: Split["by"] | undefined;
  /** Another seed divides otherwise; 0 unless told. */
  seed?: number | undefined;
  /** Files of each part; 1 unless told. */
  shards?: number | undefined;
  /** Replaces a dataset that is there. */
  force?: boolean | undefined;
  onProgress?: ((progress: Readonly<BuildProgress>) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A dataset that was built. */
export interface BuiltDataset {
  /** Absolute. */
  folder: string;
  manifestPath: string;
  manifest: DatasetManifest;
}

/** @param simulated how many pass but for being simulated */
const nothing = (output: string, simulated: number): AtlasError =>
  nothingPasses(
    output,
    simulated,
    "Approve sessions with `atlas review approve`, or take others in with `--where review=all`.",
  );

function nothingIn(format: DatasetFormat, without: Record<string, number>, output: string): AtlasError {
  const reasons = Object.entries(without).map(([reason, sessions]) => `${reason} (${sessions} sessions)`);
  const message = `no session gives a record of the format ${format.name}: ${reasons.join(", ")}`;
  return new AtlasError("ATLAS_NOTHING_TO_EXPORT", message, {
    where: output,
    hint: "Choose another format, or other sessions; docs/training.md says what each format is made of.",
  });
}

/** Filters as a manifest keeps them; keys in order, times as ISO text. */
const filtersAsText = (filters: DatasetFilters): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(Object.fromEntries(Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1)))),
  ) as Record<string, unknown>;

/** What was made of a recipe, in a folder that is not published yet. */
export interface Unpublished {
  folder: NewFolder;
  manifest: DatasetManifest;
  erased: Collected["erased"];
}

/** The list of a dataset's sessions, on disk while it is written, and their digest. */
class SessionList {
  readonly #lines: SortedLines;
  readonly #digest: DatasetDigest;
  count = 0;

  constructor(sorting: SortOptions) {
    this.#lines = new SortedLines(sorting);
    this.#digest = new DatasetDigest(sorting);
  }

  async add(session: ListedSession): Promise<void> {
    await this.#lines.add(`${inOrder(this.count)}${JSON.stringify(session)}`);
    await this.#digest.add(session);
    this.count += 1;
  }

  async *#text(): AsyncGenerator<string> {
    for await (const line of this.#lines.lines()) yield `${line.slice(inOrder(0).length)}\n`;
  }

  async write(path: string): Promise<Pick<DatasetManifest, "digest" | "sessions_file">> {
    const { bytes, sha256 } = await writeAtomically(path, this.#text());
    return { sessions_file: { name: SESSIONS, bytes, sha256 }, digest: await this.#digest.hex() };
  }
}

async function writeCard(folder: string, text: string): Promise<Pick<DatasetManifest, "card_file">> {
  const { bytes, sha256 } = await writeAtomically(join(folder, CARD), [text]);
  return { card_file: { name: CARD, bytes, sha256 } };
}

/**
 * Follows a recipe up to a whole dataset that nobody sees yet. The caller publishes or discards it.
 *
 * @param sorting what of its lists is kept in memory
 * @throws AtlasError ATLAS_NOTHING_TO_EXPORT, ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL, ATLAS_LOG_REPLACED,
 *   ATLAS_SCHEMA_NEWER; nothing is left of the attempt then
 */
export async function follow(
  log: ReadableLog,
  recipe: Recipe,
  options: Pick<BuildOptions, "output" | "force" | "onProgress" | "signal">,
  sorting: SortOptions = {},
): Promise<Unpublished> {
  const { output, force = false, onProgress, signal } = options;
  const folder = await newFolder(output, force);
  let collected: Collected | undefined;
  try {
    const progress: BuildProgress = { read: 0, written: 0 };
    const { layout, stretches, filters, branch, format, split, shards } = recipe;
    const inScratch = { ...sorting, folder: folder.scratch };
    const groupsTogether = layout > 1 && "encode" in format && format.encodeGroup !== undefined;
    const division = { split, shards, extension: format.extension, wholeGroups: layout > 1, groupsTogether };
    const plan = new DatasetPlan(division, inScratch);
    const list = new SessionList(inScratch);
    collected = await collectSessions({
      log,
      stretches,
      filters,
      branch,
      scratch: folder.scratch,
      onChosen: (session) => plan.add(session),
      onRead: (read) => {
        progress.read = read;
        onProgress?.(progress);
      },
      signal,
    });
    if (collected.sessions === 0) throw nothing(output, collected.leftOut.simulated);
    const duplicates = await plan.divided();
    const written = await writeFiles({
      recipe,
      plan,
      collected,
      folder: folder.content,
      onWritten: async (session) => {
        signal?.throwIfAborted();
        await list.add(session);
        progress.written += 1;
        onProgress?.(progress);
      },
    });
    const { files } = written;
    const records = files.reduce((sum, part) => sum + part.records, 0);
    if (records === 0) throw nothingIn(format, written.without, output);
    const { sessions_file, digest } = await list.write(join(folder.content, SESSIONS));
    const unsealed: Unsealed = {
      ...(layout > 1 && { layout }),
      package: recipe.package,
      format: format.name,
      log: recipe.log,
      positions: collected.positions,
      filters: filtersAsText(recipe.filters),
      branch: recipe.branch,
      split,
      shards,
      schemas: written.schemas,
      derivations: written.derivations,
      sessions: list.count,
      records,
      steps: written.steps,
      simulated_sessions: written.simulated,
      left_out: {
        ...collected.leftOut,
        duplicate: duplicates.length,
        unreadable_records: collected.unreadable,
      },
      without_records: Object.fromEntries(Object.entries(written.without).sort()),
      duplicates,
      files,
      ...(layout > 1 && { not_written: written.notWritten }),
      sessions_file,
      digest,
    };
    const card =
      layout > 1 ? await writeCard(folder.content, cardText(unsealed, format, written.rewards)) : {};
    const manifest = sealed({ ...unsealed, ...card });
    await writeAtomically(join(folder.content, MANIFEST), [manifestText(manifest)]);
    await collected.close();
    return { folder, manifest, erased: collected.erased };
  } catch (error) {
    await collected?.close().catch(() => undefined);
    // What the lists have on disk goes with the folder.
    await folder.discard();
    throw explainWrite(output, error);
  }
}

/** The recipe that options stand for, on the log as it is now. */
async function recipeOf(
  log: ReadableLog,
  options: BuildOptions,
  packageInfo: { name: string; version: string },
): Promise<Recipe> {
  const { where: filters = {}, branch = null, format = "atlas", split, splitBy = "learning-key" } = options;
  const { seed = 0, shards = 1 } = options;
  refuseNonsense(filters);
  refuseBounds(options);
  refuseShards(shards);
  const divided: Split | null = split === undefined ? null : { parts: split, seed, by: splitBy };
  if (divided !== null) refuseSplit(divided);
  return {
    layout: LAYOUT,
    stretches: await stretchesOf(log, options),
    filters,
    branch,
    format: typeof format === "string" ? formatOf(format) : format,
    split: divided,
    shards,
    log: { id: log.id, kind: log.kind },
    package: packageInfo,
  };
}

/** Says in the log what was built. The list of duplicates, which may be long, is in the folder only. */
async function announce(
  log: Pick<EventLog, "append" | "mask">,
  folder: string,
  manifest: DatasetManifest,
): Promise<void> {
  const { duplicates: _, ...rest } = manifest;
  const meta = {
    event_id: newId(),
    session_id: null,
    source: `dataset/${newId()}`,
    sequence: 1,
    occurred_at: nowMicros(),
    time_assumed: false,
  };
  const draft = { output: folder, manifest: JSON.stringify(rest), digest: manifest.digest };
  await log.append([log.mask(createEvent("DatasetBuilt", meta, { ...draft, records: manifest.records }))]);
}

/**
 * Builds a dataset from the events of a log alone, and says so in it with a `DatasetBuilt`.
 *
 * @param packageInfo what built it
 * @param sorting what of its lists is kept in memory
 * @throws AtlasError as {@link follow}, and ATLAS_FILTER_INVALID, ATLAS_USAGE, ATLAS_LOG_UNREACHABLE
 */
export async function buildFromLog(
  log: ReadableLog & Pick<EventLog, "append" | "mask">,
  options: BuildOptions,
  packageInfo: { name: string; version: string },
  sorting?: SortOptions,
): Promise<BuiltDataset> {
  const recipe = await recipeOf(log, options, packageInfo);
  const { folder, manifest } = await follow(log, recipe, options, sorting);
  const path = await folder.publish().catch(async (error: unknown) => {
    await folder.discard();
    throw error;
  });
  await announce(log, path, manifest);
  return { folder: path, manifestPath: join(path, MANIFEST), manifest };
}
