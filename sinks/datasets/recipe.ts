import type { DatasetFormat } from "./format.ts";
import type { Layout } from "./manifest.ts";
import type { DatasetFilters } from "./selection.ts";
import type { Split } from "./split.ts";
import type { Stretch } from "./window.ts";

/** Everything that decides what is in a dataset. */
export interface Recipe {
  layout: Layout;
  stretches: readonly Stretch[];
  filters: DatasetFilters;
  branch: string | null;
  format: DatasetFormat;
  split: Split | null;
  shards: number;
  log: { id: string; kind: string };
  package: { name: string; version: string };
}
