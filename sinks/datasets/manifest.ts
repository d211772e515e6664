import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { DerivationName } from "../jsonl/export-sessions.ts";
import type { Split } from "./split.ts";
import type { Positions } from "./window.ts";

/** Name of the manifest in a dataset's folder. */
export const MANIFEST = "manifest.json";
/** Name of the list of a dataset's sessions. */
export const SESSIONS = "sessions.ndjson";
/** Name of the card of a dataset, which tells people and `datasets` what is in the folder. */
export const CARD = "README.md";
const FORMAT = "atlas-dataset/1";

/**
 * How a dataset is laid out. In 2, the sessions of a group are never divided, formats may make a record of several of them,
 * files without a record are not written, and there is a card. Manifests that name no layout are of 1.
 */
export type Layout = 1 | 2;

/** What is built anew; older ones are built again as they were. */
export const LAYOUT: Layout = 2;

/** A file of a dataset. */
export interface DatasetFile {
  /** Without any folder. */
  name: string;
  bytes: number;
  /** 64 hex digits. */
  sha256: string;
}

/** A file with sessions. */
export interface DatasetPart extends DatasetFile {
  split: string | null;
  /** From 0. */
  shard: number;
  sessions: number;
  /** Lines, or rows; in the Atlas format as many as sessions. */
  records: number;
}

/** Which sessions were asked for; times as ISO text. */
export type ManifestFilters = Record<string, unknown>;

/** How a dataset was made, and what is in it: enough to check it and to build it again. */
export interface DatasetManifest {
  manifest: typeof FORMAT;
  /** 1 where there is none. */
  layout?: Layout;
  package: { name: string; version: string };
  /** Format of the files. */
  format: string;
  log: { id: string; kind: string };
  /** What was read of the log. */
  positions: Positions;
  filters: ManifestFilters;
  /** Whose rewards, drift and review statuses were taken; null for the live ones. */
  branch: string | null;
  split: Split | null;
  shards: number;
  /** Schemas that the events of these sessions were written with. */
  schemas: { name: string; version: number; fingerprint: string }[];
  /** What computed their rewards, drift and review statuses. */
  derivations: DerivationName[];
  sessions: number;
  records: number;
  steps: number;
  simulated_sessions: number;
  /** How many sessions passed by, and why; records that no version could read are counted alone. */
  left_out: {
    erased: number;
    incomplete: number;
    /** Those that pass all other conditions. */
    simulated: number;
    filtered: number;
    duplicate: number;
    unreadable_records: number;
  };
  /** Sessions that the format has no record of, by the reason; they count as sessions of the dataset. */
  without_records: Record<string, number>;
  /** Sessions of the training part with the task and the answer of one that is held out. */
  duplicates: { session_id: string; of: string; split: string }[];
  files: DatasetPart[];
  /** Files that were not written, since none of their sessions gives a record. */
  not_written?: Pick<DatasetPart, "name" | "split" | "shard" | "sessions">[];
  sessions_file: DatasetFile;
  card_file?: DatasetFile;
  /** SHA-256 over the logical records. */
  digest: string;
  /** SHA-256 of this manifest's JSON without spaces and without this key. */
  checksum: string;
}

/** A session of a dataset, as `sessions.ndjson` lists it. */
export interface ListedSession {
  session_id: string;
  learning_key: string;
  split: string | null;
  /** Where its records are; a file that was not written has none. */
  file: string;
  reward: number | null;
  /** Of its logical record. */
  digest: string;
}

/** The checksum of a manifest. */
export const checksumOf = ({ checksum: _, ...rest }: DatasetManifest): string =>
  createHash("sha256").update(JSON.stringify(rest)).digest("hex");

const sound = (file: DatasetFile): boolean =>
  typeof file?.name === "string" &&
  file.name === basename(file.name) &&
  !file.name.startsWith(".") &&
  typeof file.sha256 === "string" &&
  typeof file.bytes === "number";

const invalid = (path: string, why: string, cause?: unknown): AtlasError =>
  new AtlasError("ATLAS_DATASET_INVALID", `the manifest cannot be used: ${why}`, {
    where: path,
    hint: "Name the manifest.json of a dataset that `atlas dataset build` wrote, as it wrote it.",
    cause,
  });

/**
 * Reads a manifest.
 *
 * @param place the file, or the folder of the dataset
 * @throws AtlasError ATLAS_FILE_UNREADABLE, or ATLAS_DATASET_INVALID for what is no manifest or was changed
 */
export async function readManifest(
  place: string,
): Promise<{ path: string; folder: string; manifest: DatasetManifest }> {
  const folderGiven = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const path = resolve(folderGiven ? join(place, MANIFEST) : place);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const missing = (error as { code?: unknown }).code === "ENOENT";
    const why = missing ? "there is no such file" : messageOf(error);
    throw new AtlasError("ATLAS_FILE_UNREADABLE", `the manifest cannot be read: ${why}`, {
      where: path,
      hint: "Name the manifest.json of a dataset, or the folder that it is in.",
      cause: error,
    });
  });
  let manifest: DatasetManifest;
  try {
    manifest = JSON.parse(text) as DatasetManifest;
  } catch (error) {
    throw invalid(path, messageOf(error), error);
  }
  if (typeof manifest !== "object" || manifest === null) throw invalid(path, "it is no object");
  if (manifest.manifest !== FORMAT) throw invalid(path, `it is not of the kind ${FORMAT}`);
  if (manifest.checksum !== checksumOf(manifest)) throw invalid(path, "it was changed since it was written");
  if (![undefined, 1, LAYOUT].includes(manifest.layout))
    throw invalid(path, `its layout ${String(manifest.layout)} is of a later version of this package`);
  if (!Array.isArray(manifest.files) || !allFiles(manifest).every(sound))
    throw invalid(path, "it names files that are not its own");
  return { path, folder: dirname(path), manifest };
}

/** All files that a manifest tells of. */
export const allFiles = ({ files, sessions_file, card_file }: DatasetManifest): DatasetFile[] => [
  ...files,
  sessions_file,
  ...(card_file === undefined ? [] : [card_file]),
];

/** A manifest before it has its checksum. */
export type Unsealed = Omit<DatasetManifest, "manifest" | "checksum">;

/** A manifest with its checksum. */
export function sealed(manifest: Unsealed): DatasetManifest {
  const whole: DatasetManifest = { manifest: FORMAT, ...manifest, checksum: "" };
  return { ...whole, checksum: checksumOf(whole) };
}

/** The text of a manifest. */
export const manifestText = (manifest: DatasetManifest): string => `${JSON.stringify(manifest, null, 2)}\n`;
