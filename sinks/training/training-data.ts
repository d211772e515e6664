import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";
import { trainingPart } from "../datasets/split.ts";
import { verifyFiles } from "../datasets/verify-dataset.ts";
import type { ExportSummary } from "../jsonl/export-sessions.ts";
import type { TrainingData } from "./launch-training.ts";

/** A file that Atlas Core can train on, and what is known of it. */
export interface TrainingFile extends TrainingData {
  path: string;
  sessions: number;
}

/** The file of an export. */
export const exportedFile = ({ file, manifest }: ExportSummary): TrainingFile => ({
  path: file.path,
  digest: file.sha256,
  manifest: JSON.stringify(manifest),
  sessions: manifest.sessions,
});

const unfit = (where: string, message: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_DATASET_INVALID", message, { where, hint });

/**
 * The training part of a dataset, whose files are checked first.
 *
 * @param place the manifest, or the folder
 * @throws AtlasError ATLAS_DATASET_INVALID for one in another format or of several files, and those of verifyDataset
 */
export async function trainingFileOf(place: string): Promise<TrainingFile> {
  const { folder, manifest } = await verifyFiles(place);
  if (manifest.format !== "atlas")
    throw unfit(
      folder,
      `the dataset is in the format ${manifest.format}, which Atlas Core does not read`,
      "Build it with --format atlas.",
    );
  const part = manifest.split === null ? null : trainingPart(manifest.split);
  const file = manifest.files.find(({ split }) => split === part);
  // However many of them were written: the next build may write more.
  if (manifest.shards > 1)
    throw unfit(
      folder,
      `Atlas Core reads one file, and the dataset was built in ${manifest.shards} shards`,
      "Build it with --shards 1.",
    );
  if (file === undefined || file.sessions === 0)
    throw new AtlasError("ATLAS_NOTHING_TO_EXPORT", "the training part of the dataset is empty", {
      where: folder,
      hint: "Divide it by session, or build it of more sessions.",
    });
  return {
    path: join(folder, file.name),
    digest: file.sha256,
    manifest: await readFile(join(folder, "manifest.json"), "utf8"),
    sessions: file.sessions,
  };
}
