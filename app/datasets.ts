import { packageInfo } from "../configs/package-info.ts";
import type { EventLog } from "../log/event-log.ts";
import { secretFinder } from "../recording/masking/find-secrets.ts";
import { type BuildOptions, type BuiltDataset, buildFromLog } from "../sinks/datasets/build-dataset.ts";
import {
  type ReproduceOptions,
  type Reproduction,
  reproduceFromLog,
} from "../sinks/datasets/reproduce-dataset.ts";
import type { ReadableLog } from "../sinks/datasets/window.ts";
import { type TestedDataset, type TestOptions, testFiles } from "../sinks/quality/test-dataset.ts";

/** The entry `atlas-sdk/datasets`: datasets from the log, without a database. */
export type { BuildOptions, BuildProgress, BuiltDataset } from "../sinks/datasets/build-dataset.ts";
export type { ChangedSince } from "../sinks/datasets/changed-since.ts";
export { changedSince } from "../sinks/datasets/changed-since.ts";
export type { ChangedSession, DatasetDiff, OneSided } from "../sinks/datasets/diff-datasets.ts";
export { diffDatasets } from "../sinks/datasets/diff-datasets.ts";
export type { Feature, Features } from "../sinks/datasets/features.ts";
export type {
  DatasetFormat,
  FileFormat,
  FormatWriter,
  GroupLines,
  LineFormat,
} from "../sinks/datasets/format.ts";
export { DATASET_FORMATS } from "../sinks/datasets/formats.ts";
export type {
  DatasetFile,
  DatasetManifest,
  DatasetPart,
  ListedSession,
} from "../sinks/datasets/manifest.ts";
export type { ReproduceOptions, Reproduction } from "../sinks/datasets/reproduce-dataset.ts";
export type { DatasetFilters } from "../sinks/datasets/selection.ts";
export type { VerifiedDataset } from "../sinks/datasets/verify-dataset.ts";
export { verifyFiles as verifyDataset } from "../sinks/datasets/verify-dataset.ts";
export type { Fault } from "../sinks/quality/check.ts";
export type { DatasetStats, StatsOptions } from "../sinks/quality/dataset-stats.ts";
export { datasetStats } from "../sinks/quality/dataset-stats.ts";
export type { Quantiles } from "../sinks/quality/quantiles.ts";
export type { CheckName, CheckResult, TestedDataset, TestOptions } from "../sinks/quality/test-dataset.ts";
export { CHECK_NAMES, CHECKS, MAX_LENGTH } from "../sinks/quality/test-dataset.ts";

/**
 * Builds a dataset from the events of a log alone: a folder with the files, a list of the sessions, and a manifest
 * from which it can be built again. It appears whole or not at all, and a `DatasetBuilt` in the log tells of it.
 *
 * @param log `atlas.log`, or what `openLog` opened; what is derived has to be in it, so await `atlas.settled()` first
 * @throws AtlasError ATLAS_NOTHING_TO_EXPORT, ATLAS_FILTER_INVALID, ATLAS_USAGE for a format that is none,
 *   ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL, ATLAS_SCHEMA_NEWER, ATLAS_LOG_REPLACED, ATLAS_LOG_UNREACHABLE
 * @example
 * await atlas.settled();
 * const { manifest } = await buildDataset(atlas.log, {
 *   output: "data/support",
 *   where: { learningKey: "support", minReward: 0.7 },
 *   split: { train: 0.9, eval: 0.1 },
 * });
 */
export const buildDataset = (
  log: ReadableLog & Pick<EventLog, "append" | "mask">,
  options: BuildOptions,
): Promise<BuiltDataset> => buildFromLog(log, options, packageInfo());

/**
 * Builds a dataset again from its manifest, from the same log or a copy of it, and compares. The same version of this
 * package gives the same bytes; with another one the digest over the records decides.
 *
 * @param place the manifest, or the folder of the dataset
 * @throws AtlasError ATLAS_DATASET_DIFFERS, ATLAS_DATASET_LOG_CHANGED, ATLAS_DATASET_ERASED, ATLAS_DATASET_INVALID,
 *   ATLAS_LOG_REPLACED, ATLAS_FILE_UNREADABLE
 * @example
 * const { identical } = await reproduceDataset(atlas.log, "data/support/manifest.json");
 */
export const reproduceDataset = (
  log: ReadableLog,
  place: string,
  options: ReproduceOptions = {},
): Promise<Reproduction> => reproduceFromLog(log, place, options, packageInfo());

/**
 * Holds a dataset against what is expected of it: leakage between parts, near-duplicates, secrets, control tokens, calls
 * that no schema allows, empty answers, length, balance, and the size of parts. No log is asked. What is found is named
 * by file, line and session, and never repeated.
 *
 * @param place the manifest, or the folder of the dataset
 * @throws AtlasError ATLAS_USAGE for a check that there is not, or a format that is not read here,
 *   ATLAS_FILE_UNREADABLE, ATLAS_DATASET_INVALID, ATLAS_DATASET_TAMPERED
 * @example
 * const { passed, checks } = await testDataset("data/support", { expect: { length: 0.1 }, maxLength: 8192 });
 */
export const testDataset = (place: string, options: TestOptions = {}): Promise<TestedDataset> =>
  testFiles(place, secretFinder(), options);
