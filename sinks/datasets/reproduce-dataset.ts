import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { type BuildOptions, follow } from "./build-dataset.ts";
import type { DatasetFormat } from "./format.ts";
import { formatOf } from "./formats.ts";
import { allFiles, type DatasetManifest, readManifest } from "./manifest.ts";
import type { Recipe } from "./recipe.ts";
import type { DatasetFilters } from "./selection.ts";
import { listedSessions } from "./verify-dataset.ts";
import { otherLog, type Positions, type ReadableLog, stretchesAgain } from "./window.ts";

/** How to build a dataset again. */
export interface ReproduceOptions extends Pick<BuildOptions, "force" | "onProgress" | "signal"> {
  /** Where to keep it; it is only compared unless told. */
  output?: string | undefined;
  /** Formats of your own. */
  formats?: readonly DatasetFormat[] | undefined;
}

/** What came of it. */
export interface Reproduction {
  /** Every file has the same bytes. */
  identical: boolean;
  /** The same sessions say the same: what decides where the package is another version. */
  sameRecords: boolean;
  /** Files with other bytes than the manifest says. */
  changedFiles: string[];
  /** The version that built it, and the one that built it again. */
  versions: { manifest: string; here: string };
  /** Where it is kept; undefined where it was only compared. */
  folder?: string;
  manifest: DatasetManifest;
}

const TIMES = ["createdAfter", "createdBefore"] as const;

/** The filters that a manifest keeps as text. */
function filtersOf(text: DatasetManifest["filters"]): DatasetFilters {
  const times = TIMES.filter((key) => text[key] !== undefined);
  return { ...text, ...Object.fromEntries(times.map((key) => [key, new Date(String(text[key]))])) };
}

const differing = (before: Positions, now: Positions): string | undefined => {
  for (const [topic, stretches] of Object.entries(before)) {
    for (const [partition, { records, sha256 }] of stretches.entries()) {
      const found = now[topic]?.[partition];
      if (found?.records !== records || found.sha256 !== sha256) return `${topic}[${partition}]`;
    }
  }
  return undefined;
};

async function refuseErased(
  folder: string,
  manifest: DatasetManifest,
  erased: ReadonlySet<Uuid>,
): Promise<void> {
  if (erased.size === 0) return;
  const gone: Uuid[] = [];
  for await (const { session_id } of listedSessions(folder, manifest))
    if (erased.has(session_id)) gone.push(session_id);
  if (gone.length === 0) return;
  throw new AtlasError(
    "ATLAS_DATASET_ERASED",
    `${gone.length} of its sessions were erased since it was built`,
    {
      where: `${gone.slice(0, 5).join(", ")}${gone.length > 5 ? ", and more" : ""}`,
      hint: "Build a new dataset: what was erased does not come back.",
    },
  );
}

/** Files of one of two datasets that the other does not have with these bytes. */
function changedIn(manifest: DatasetManifest, again: DatasetManifest): string[] {
  const before = new Map(allFiles(manifest).map(({ name, sha256 }) => [name, sha256]));
  const now = new Map(allFiles(again).map(({ name, sha256 }) => [name, sha256]));
  return [...new Set([...before.keys(), ...now.keys()])].filter((name) => before.get(name) !== now.get(name));
}

/**
 * Builds a dataset again from its manifest. The log may be a copy: what stands at the positions decides.
 *
 * @param place the manifest, or the folder
 * @throws AtlasError ATLAS_DATASET_LOG_CHANGED for a log that holds something else, ATLAS_LOG_REPLACED for one that does not
 *   hold the positions any more, ATLAS_DATASET_ERASED, ATLAS_DATASET_INVALID, ATLAS_DATASET_DIFFERS where the result is
 *   not the same although the log is; nothing is left then
 */
export async function reproduceFromLog(
  log: ReadableLog,
  place: string,
  options: ReproduceOptions,
  packageInfo: Recipe["package"],
): Promise<Reproduction> {
  const { path, folder: original, manifest } = await readManifest(place);
  const { output, formats, ...rest } = options;
  const recipe: Recipe = {
    layout: manifest.layout ?? 1,
    stretches: await stretchesAgain(log, manifest.positions, manifest.log.id),
    filters: filtersOf(manifest.filters),
    branch: manifest.branch,
    format: formatOf(manifest.format, formats),
    split: manifest.split,
    shards: manifest.shards,
    // What stands there is the same, as is checked below, so the copy goes by the name of its origin.
    log: manifest.log,
    package: packageInfo,
  };
  const target = output ?? join(tmpdir(), `atlas-reproduced-${randomUUID()}`);
  const { folder, manifest: again, erased } = await follow(log, recipe, { ...rest, output: target });
  try {
    const place = differing(manifest.positions, again.positions);
    if (place !== undefined) throw otherLog(log, manifest.log.id, `other records stand in ${place}`);
    await refuseErased(original, manifest, erased);
    const changedFiles = changedIn(manifest, again);
    const sameVersion = manifest.package.version === packageInfo.version;
    const sameRecords = again.digest === manifest.digest;
    const identical = changedFiles.length === 0;
    if (!sameRecords || (sameVersion && !identical)) throw differs(path, manifest, again, changedFiles);
    const kept = output === undefined ? undefined : await folder.publish();
    await folder.discard();
    return {
      identical,
      sameRecords,
      changedFiles,
      versions: { manifest: manifest.package.version, here: packageInfo.version },
      ...(kept !== undefined && { folder: kept }),
      manifest: again,
    };
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

function differs(
  path: string,
  manifest: DatasetManifest,
  again: DatasetManifest,
  changed: readonly string[],
): AtlasError {
  const what =
    again.digest === manifest.digest
      ? `the records are the same, and the bytes of ${changed.join(", ")} are not`
      : `${again.sessions} sessions with the digest ${again.digest.slice(0, 12)}…, not ${manifest.sessions} with ${manifest.digest.slice(0, 12)}…`;
  const versions = `built by ${manifest.package.version}, built again by ${again.package.version}`;
  return new AtlasError("ATLAS_DATASET_DIFFERS", `${what} (${versions})`, {
    where: path,
    hint: "Build it with the package version of the manifest; `atlas dataset build` and `diff` show what changed.",
  });
}
