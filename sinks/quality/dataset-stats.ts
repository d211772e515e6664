import { createHash } from "node:crypto";
import { type Quantiles, quantilesOf } from "./quantiles.ts";
import { ReadDataset } from "./read-dataset.ts";
import { type QualityRecord, saidIn, tokensOf } from "./record.ts";

/** Lengths that trainers are set to. */
const LENGTHS = [1024, 4096, 8192, 32_768] as const;
/** Where the bars of lengths end. */
const BARS = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768] as const;
const REWARD_BINS = 10;

/** What is in a dataset, in numbers. Tokens are estimated: four characters are one. */
export interface DatasetStats {
  folder: string;
  format: string;
  records: number;
  /** Part null is the whole of a dataset that was not divided. */
  parts: { part: string | null; sessions: number; records: number; tokens: number }[];
  /** Messages of a record. */
  turns: Quantiles | null;
  /** Calls of tools in a record. */
  calls: Quantiles | null;
  /** Tokens of a record. */
  tokens: Quantiles | null;
  /** How many records have more tokens than the bar before, and at most so many; null for more than all bars. */
  lengths: { upTo: number | null; records: number }[];
  /** The share of records that have more tokens than `length`. */
  over: { length: number; share: number }[];
  rewards: {
    spread: Quantiles | null;
    /** Ten equal parts of 0 to 1. */
    bins: number[];
    absent: number;
    /** Records of which it is not known. */
    unknown: number;
  };
  /** Null where the format has none. */
  labels: { wanted: number; unwanted: number } | null;
  /** The most used first. */
  tools: { name: string; calls: number; records: number }[];
  /** Different ones. */
  tasks: number;
  groups: number;
  /** Records in a group. */
  grouped: Quantiles | null;
}

/** How a dataset is read for its numbers. */
export interface StatsOptions {
  /** Ends it. */
  signal?: AbortSignal | undefined;
  /** Called with the number of records that were read, now and then. */
  onProgress?: ((records: number) => void) | undefined;
}

const EVERY = 1000;
const digest = (text: string): string => createHash("sha256").update(text).digest("base64").slice(0, 16);

/** What is counted on the way. */
class Tally {
  readonly parts = new Map<string | null, { records: number; tokens: number }>();
  readonly turns: number[] = [];
  readonly calls: number[] = [];
  readonly tokens: number[] = [];
  readonly rewards: number[] = [];
  readonly tools = new Map<string, { calls: number; records: number }>();
  readonly tasks = new Set<string>();
  readonly groups = new Map<string, number>();
  wanted = 0;
  unwanted = 0;
  absent = 0;
  unknown = 0;

  add(record: QualityRecord): void {
    const { part, reward, label, task, group } = record;
    const said = saidIn(record);
    const names = said.flatMap(({ calls }) => calls.map(({ name }) => name));
    const tokens = tokensOf(record);
    const before = this.parts.get(part) ?? { records: 0, tokens: 0 };
    this.parts.set(part, { records: before.records + 1, tokens: before.tokens + tokens });
    this.turns.push(said.length);
    this.calls.push(names.length);
    this.tokens.push(tokens);
    if (reward === undefined) this.unknown += 1;
    else if (reward === null) this.absent += 1;
    else this.rewards.push(reward);
    if (label !== null) this[label ? "wanted" : "unwanted"] += 1;
    if (task.trim() !== "") this.tasks.add(digest(task.trim()));
    if (group !== null) this.groups.set(digest(group), (this.groups.get(digest(group)) ?? 0) + 1);
    for (const name of names) this.#tool(name).calls += 1;
    for (const name of new Set(names)) this.#tool(name).records += 1;
  }

  #tool(name: string): { calls: number; records: number } {
    const known = this.tools.get(name) ?? { calls: 0, records: 0 };
    this.tools.set(name, known);
    return known;
  }
}

function lengthsOf(tokens: readonly number[]): DatasetStats["lengths"] {
  const bars: DatasetStats["lengths"] = [...BARS, null].map((upTo) => ({ upTo, records: 0 }));
  for (const each of tokens) bars.find(({ upTo }) => upTo === null || each <= upTo)!.records += 1;
  return bars;
}

function binsOf(rewards: readonly number[]): number[] {
  const bins = Array.from({ length: REWARD_BINS }, () => 0);
  for (const reward of rewards) {
    const at = Math.floor(Math.min(1, Math.max(0, reward)) * REWARD_BINS + 1e-9);
    bins[Math.min(REWARD_BINS - 1, at)]! += 1;
  }
  return bins;
}

/**
 * Numbers of what a dataset holds. Records are read one after the other.
 *
 * @param place the manifest, or the folder
 * @throws AtlasError ATLAS_FILE_UNREADABLE, ATLAS_DATASET_INVALID, ATLAS_DATASET_TAMPERED, or ATLAS_USAGE for a format
 *   that is not read here
 * @example
 * const { tokens } = await datasetStats("data/support");
 */
export async function datasetStats(place: string, options: StatsOptions = {}): Promise<DatasetStats> {
  const { signal, onProgress } = options;
  const dataset = await ReadDataset.open(place);
  const { folder, manifest } = dataset;
  const tally = new Tally();
  for await (const record of dataset.records()) {
    tally.add(record);
    if (tally.tokens.length % EVERY !== 0) continue;
    signal?.throwIfAborted();
    onProgress?.(tally.tokens.length);
  }
  const { turns, calls, tokens, rewards, tools, tasks, groups, wanted, unwanted, absent, unknown } = tally;
  const records = tokens.length;
  return {
    folder,
    format: manifest.format,
    records,
    parts: dataset.parts.map((part) => ({
      part,
      sessions: manifest.files.reduce((sum, file) => sum + (file.split === part ? file.sessions : 0), 0),
      ...(tally.parts.get(part) ?? { records: 0, tokens: 0 }),
    })),
    turns: quantilesOf(turns),
    calls: quantilesOf(calls),
    tokens: quantilesOf(tokens),
    lengths: lengthsOf(tokens),
    over: LENGTHS.map((length) => ({
      length,
      share: records === 0 ? 0 : tokens.filter((each) => each > length).length / records,
    })),
    rewards: { spread: quantilesOf(rewards), bins: binsOf(rewards), absent, unknown },
    labels: wanted + unwanted === 0 ? null : { wanted, unwanted },
    tools: [...tools]
      .map(([name, used]) => ({ name, ...used }))
      .sort((a, b) => b.calls - a.calls || (a.name < b.name ? -1 : 1)),
    tasks: tasks.size,
    groups: groups.size,
    grouped: quantilesOf([...groups.values()]),
  };
}
