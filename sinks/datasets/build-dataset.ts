import { join } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";
import { writeAtomically } from "../../files/atomic-file.ts";
import { explainWrite } from "../../files/explain-write.ts";
import { inOrder, SortedLines, type SortOptions } from "../../files/sorted-lines.ts";
import type { EventLog } from "../../log/event-log.ts";
import { createEvent, releasedSchema } from "../../schemas/codec.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { type DerivationName, derivationsOf, nothingPasses } from "../jsonl/export-sessions.ts";
import { type ChosenSession, type Collected, collectSessions } from "./collect-sessions.ts";
import { type NewFolder, newFolder } from "./dataset-folder.ts";
import { DatasetPlan, type PlannedFile } from "./dataset-plan.ts";
import type { DatasetFormat } from "./format.ts";
import { formatOf } from "./formats.ts";
import {
  type DatasetManifest,
  type DatasetPart,
  type ListedSession,
  MANIFEST,
  manifestText,
  SESSIONS,
  sealed,
} from "./manifest.ts";
import { DatasetDigest, recordDigest } from "./record-digest.ts";
import { type DatasetFilters, refuseNonsense } from "./selection.ts";
import { refuseShards, refuseSplit, type Split } from "./split.ts";
import { type ReadableLog, refuseBounds, type Stretch, stretchesOf, type Window } from "./window.ts";
import { writePart } from "./write-part.ts";

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
  /** What stays together; `learning-key` unless told. */
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

/** Everything that decides what is in a dataset. */
export interface Recipe {
  stretches: readonly Stretch[];
  filters: DatasetFilters;
  branch: string | null;
  format: DatasetFormat;
  split: Split | null;
  shards: number;
  log: { id: string; kind: string };
  package: { name: string; version: string };
}

interface Written {
  files: DatasetPart[];
  derivations: DerivationName[];
  schemas: DatasetManifest["schemas"];
  steps: number;
  simulated: number;
  without: Record<string, number>;
}

const byKey = <T>(found: ReadonlyMap<string, T>): T[] =>
  [...found.keys()].sort().map((key) => found.get(key)!);

/** What is made of a recipe, while it is written. */
interface Writing {
  recipe: Recipe;
  plan: DatasetPlan;
  collected: Collected;
  folder: string;
  /** Takes each session in the order of the files. */
  onWritten: (session: ListedSession) => Promise<void>;
}

/** Writes the files of a plan, session after session. */
async function writeFiles({ recipe, plan, collected, folder, onWritten }: Writing): Promise<Written> {
  const derivations = new Map<string, DerivationName>();
  const fingerprints = new Set<string>();
  const written: Written = { files: [], derivations: [], schemas: [], steps: 0, simulated: 0, without: {} };
  const note = async (session: ChosenSession, trace: SessionTrace, file: PlannedFile): Promise<void> => {
    const digest = recordDigest(encodeTrainingLine(trace));
    const { sessionId: session_id, learningKey: learning_key } = session;
    const reward = trace.reward?.score ?? null;
    written.steps += trace.steps.length;
    if (trace.simulated) written.simulated += 1;
    for (const one of derivationsOf(trace)) derivations.set(Object.values(one).join(" "), one);
    await onWritten({ session_id, learning_key, split: file.split, file: file.name, reward, digest });
  };
  const placed = plan.sessions();
  try {
    let next = await placed.next();
    for (const [index, file] of plan.files.entries()) {
      let sessions = 0;
      async function* traces(): AsyncGenerator<SessionTrace> {
        for (; next.done !== true && next.value.file === index; next = await placed.next()) {
          const read = await collected.read(next.value.session);
          for (const fingerprint of read.fingerprints) fingerprints.add(fingerprint);
          await note(next.value.session, read.trace, file);
          sessions += 1;
          yield read.trace;
        }
      }
      const { without, ...part } = await writePart(recipe.format, folder, file.name, traces());
      for (const [reason, count] of Object.entries(without))
        written.without[reason] = (written.without[reason] ?? 0) + count;
      const { name, split, shard } = file;
      const { bytes, sha256, records } = part;
      written.files.push({ name, split, shard, sessions, records, bytes, sha256 });
    }
  } finally {
    await placed.return(undefined);
  }
  const schemas = new Map<string, DatasetManifest["schemas"][number]>();
  for (const fingerprint of fingerprints) {
    const released = releasedSchema(fingerprint);
    if (released === undefined) continue;
    const { name, version } = released;
    schemas.set(`${name} ${String(version).padStart(6, "0")}`, { name, version, fingerprint });
  }
  return { ...written, derivations: byKey(derivations), schemas: byKey(schemas) };
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
    const { stretches, filters, branch, format, split, shards } = recipe;
    const inScratch = { ...sorting, folder: folder.scratch };
    const plan = new DatasetPlan({ split, shards, extension: format.extension }, inScratch);
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
    const manifest = sealed({
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
      sessions_file,
      digest,
    });
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
