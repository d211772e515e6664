import type { BuildOptions, BuiltDataset } from "../../sinks/datasets/build-dataset.ts";
import type { ReproduceOptions, Reproduction } from "../../sinks/datasets/reproduce-dataset.ts";
import type { ExportSummary } from "../../sinks/jsonl/export-sessions.ts";
import { buildDataset, reproduceDataset } from "../datasets.ts";
import { type ExportDatasetOptions, exportDataset } from "../export-dataset.ts";
import type { OpenParts } from "./open-parts.ts";

/**
 * The datasets of an open Atlas. What needs no log (`verifyDataset`, `diffDatasets`) or a log alone stands in
 * `atlas-sdk/datasets`.
 */
export interface Datasets {
  /**
   * Builds a dataset from the events of the log, once consumers have caught up: a folder with the files, a list of the
   * sessions, and a manifest from which it can be built again.
   *
   * @throws AtlasError as `buildDataset`, and ATLAS_CONSUMER_BEHIND
   * @example
   * await atlas.datasets.build({ output: "data/support", where: { learningKey: "support", minReward: 0.7 } });
   */
  build(options: BuildOptions): Promise<BuiltDataset>;
  /**
   * Builds a dataset again from its manifest, and compares.
   *
   * @throws AtlasError as `reproduceDataset`
   * @example
   * const { identical } = await atlas.datasets.reproduce("data/support");
   */
  reproduce(place: string, options?: ReproduceOptions): Promise<Reproduction>;
  /**
   * Writes the sessions that the read models hold as JSON lines, approved ones unless asked otherwise, with a manifest
   * beside them, once consumers have caught up.
   *
   * @throws AtlasError ATLAS_NOTHING_TO_EXPORT, ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL, ATLAS_CONSUMER_BEHIND
   * @example
   * const { file } = await atlas.datasets.export({ output: "traces.jsonl" });
   */
  export(options: ExportDatasetOptions): Promise<ExportSummary>;
}

/** {@link Datasets} of these parts. */
export const datasetsOf = ({ log, db, settled }: OpenParts): Datasets => ({
  async build(options) {
    await settled({ signal: options.signal });
    return buildDataset(log, options);
  },
  reproduce: (place, options) => reproduceDataset(log, place, options),
  async export(options) {
    await settled({ signal: options.signal });
    return exportDataset({ log, db }, options);
  },
});
