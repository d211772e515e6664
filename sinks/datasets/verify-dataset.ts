import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import {
  allFiles,
  type DatasetFile,
  type DatasetManifest,
  type ListedSession,
  readManifest,
} from "./manifest.ts";
import { DatasetDigest } from "./record-digest.ts";
import { measure } from "./write-part.ts";

/** A dataset whose files are what its manifest says. */
export interface VerifiedDataset {
  folder: string;
  manifest: DatasetManifest;
}

const tampered = (where: string, why: string, cause?: unknown): AtlasError =>
  new AtlasError("ATLAS_DATASET_TAMPERED", why, {
    where,
    hint: "Take the folder from where it came, or build it again with `atlas dataset reproduce`.",
    cause,
  });

async function checkFile(folder: string, { name, bytes, sha256 }: DatasetFile): Promise<void> {
  const path = join(folder, name);
  const found = await measure(path).catch((error: unknown) => {
    throw tampered(path, `the file cannot be read: ${messageOf(error)}`, error);
  });
  if (found.bytes !== bytes) throw tampered(path, `the file has ${found.bytes} bytes, not ${bytes}`);
  if (found.sha256 !== sha256) throw tampered(path, `the file's SHA-256 is ${found.sha256}, not ${sha256}`);
}

/**
 * The sessions of a dataset, in the order of its files.
 *
 * @throws AtlasError ATLAS_DATASET_TAMPERED
 */
export async function* listedSessions(
  folder: string,
  { sessions_file }: DatasetManifest,
): AsyncGenerator<ListedSession> {
  const path = join(folder, sessions_file.name);
  try {
    for await (const line of createInterface({
      input: createReadStream(path),
      crlfDelay: Number.POSITIVE_INFINITY,
    }))
      yield JSON.parse(line) as ListedSession;
  } catch (error) {
    throw tampered(path, `the list of sessions cannot be read: ${messageOf(error)}`, error);
  }
}

/**
 * Checks the files of a dataset: every one is there, and is what the manifest says.
 *
 * @param place the manifest, or the folder
 * @throws AtlasError ATLAS_FILE_UNREADABLE, ATLAS_DATASET_INVALID, ATLAS_DATASET_TAMPERED
 */
export async function verifyFiles(place: string): Promise<VerifiedDataset> {
  const { path, folder, manifest } = await readManifest(place);
  for (const file of allFiles(manifest)) await checkFile(folder, file);
  const digested = new DatasetDigest();
  let listed = 0;
  try {
    for await (const session of listedSessions(folder, manifest)) {
      await digested.add(session);
      listed += 1;
    }
  } catch (error) {
    await digested.close();
    throw error;
  }
  const digest = await digested.hex();
  const { files, not_written = [] } = manifest;
  const counted = [...files, ...not_written].reduce((sum, { sessions }) => sum + sessions, 0);
  if (listed !== manifest.sessions || counted !== manifest.sessions)
    throw tampered(path, `the manifest counts ${manifest.sessions} sessions, and lists ${listed}`);
  if (digest !== manifest.digest) throw tampered(path, `the digest is ${digest}, not ${manifest.digest}`);
  return { folder, manifest };
}
