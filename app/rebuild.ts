import { type Difference, isByPromotion, revisionsOf } from "../derivation/compare-derived.ts";
import { type Differences, findDifferences } from "../derivation/differences.ts";
import { inBatches } from "../derivation/in-batches.ts";
import { type RebuiltTopic, rebuildTopics } from "../derivation/rebuild/rebuild-topics.ts";
import { topicsNamed } from "../derivation/rebuild/topics-named.ts";
import { type RenewOptions, renewBaselines } from "../derivation/renew-baselines.ts";
import { PROCESSORS, type SettleOptions, settle } from "../derivation/stages.ts";
import { NO_PARTS } from "../derivation/user-parts.ts";
import { rebuildReadModels } from "../projections/rebuild.ts";
import { alreadyMasked } from "../schemas/masked.ts";
import type { Topic } from "../schemas/topics.ts";
import type { OpenParts } from "./api/open-parts.ts";
import { startPipeline } from "./pipeline.ts";

export type { RebuiltTopic };

/** What to rebuild. */
export interface RebuildOptions {
  /** Compute derived events again, too. */
  derived?: boolean;
  /**
   * Derived topics that were lost or shortened, with `derived`: what they lack is computed again and put back first. Those of
   * Atlas may go without their `atlas.`.
   */
  topics?: readonly string[] | undefined;
  /**
   * Decides whether results that differ are published as revisions; they are not unless told. Given are the first 500 of those
   * that are faults, and of those that are not, and how many there are.
   */
  mayPublish?: (
    differences: readonly Difference[],
    all: Pick<Differences, "count" | "explained" | "sessions" | "unsettled">,
  ) => Promise<boolean>;
  onProgress?: (what: string, events: number) => void;
  signal?: AbortSignal;
}

/** What a rebuild did. */
export interface RebuildSummary {
  sessions: number;
  events: number;
  /** What was put back into derived topics, of those that were asked for. */
  topics?: RebuiltTopic[];
  derived?: {
    recomputed: number;
    differences: number;
    /** Of these, how many had to differ, because of the order in which facts arrived or of a promotion. */
    explained: number;
    /** The first difference, in words. */
    first?: string;
    published: number;
  };
}

/** What a rebuild needs of an open Atlas. */
export type Rebuildable = Pick<OpenParts, "log" | "db" | "rules"> & Partial<Pick<OpenParts, "parts">>;

/** @param restored topics whose revisions may be lost: what a promotion had said of them is published again */
async function rebuildDerived(
  atlas: Rebuildable,
  options: RebuildOptions,
  restored: ReadonlySet<Topic>,
): Promise<NonNullable<RebuildSummary["derived"]>> {
  const { log, rules, parts } = atlas;
  const renewing: RenewOptions = {
    onProgress: (events) => options.onProgress?.("Renewing", events),
    signal: options.signal,
  };
  const settling: SettleOptions = { signal: options.signal, parts };
  await settle(log, settling);
  const found = await findDifferences(log, rules, {
    onProgress: (events) => options.onProgress?.("Computing", events),
    signal: options.signal,
    isOwed: (difference) => isOwed(difference, restored),
  });
  try {
    const { computed: recomputed, count, explained, shown, unsettled } = found;
    const first = shown.find((one) => one.explained === undefined) ?? shown[0];
    const summary = {
      recomputed,
      differences: count,
      explained,
      ...(first !== undefined && { first: `${first.topic} of ${first.sessionId}: ${first.what}` }),
    };
    const mayPublish = shown.length > 0 && (await options.mayPublish?.(shown, found)) === true;
    let published = 0;
    const wanted = (one: Difference) => (mayPublish || isOwed(one, restored) ? revisionsOf([one]) : []);
    for await (const revisions of inBatches(found, wanted)) {
      await log.append(revisions.map(alreadyMasked));
      published += revisions.length;
    }
    if (published === 0 && unsettled > 0) return { ...summary, published };
    if (published > 0) await settle(log, settling);
    await renewBaselines(log, rules, renewing);
    return { ...summary, published };
  } finally {
    await found.close();
  }
}

/** A revision that a promotion had published, of a topic that lost it. */
const isOwed = (difference: Difference, restored: ReadonlySet<Topic>): boolean =>
  restored.has(difference.topic) && isByPromotion(difference);

/**
 * Rebuilds the read models from the log beside the live ones, and swaps; with `derived` first computes the
 * derived events again from the primary ones, and holds these against the log.
 *
 * With `topics` it first puts back what these have lost; consumers that read them run in this process meanwhile.
 *
 * @throws AtlasError ATLAS_CONSUMER_BEHIND when consumers do not keep up; ATLAS_REBUILD_INVALID for a topic that nobody derives;
 *   ATLAS_LOG_REPLACED where a topic lost records that cannot be computed
 */
export async function rebuild(atlas: Rebuildable, options: RebuildOptions = {}): Promise<RebuildSummary> {
  if (options.topics === undefined) return rebuildAll(atlas, options, []);
  const { log, rules, parts = NO_PARTS } = atlas;
  const processors = [...PROCESSORS, ...parts.processors];
  const asked = topicsNamed(options.topics, processors);
  const { onProgress, signal } = options;
  const topics = await rebuildTopics(log, rules, { topics: asked, processors, onProgress, signal });
  // Those of this process and of others have stopped where they met the loss.
  const pipeline = await startPipeline(log, rules, {}, parts);
  try {
    const stopped = pipeline.done.then(() => new Promise<never>(() => undefined));
    return await Promise.race([rebuildAll(atlas, options, topics), stopped]);
  } finally {
    await pipeline.stop();
  }
}

async function rebuildAll(
  atlas: Rebuildable,
  options: RebuildOptions,
  topics: RebuiltTopic[],
): Promise<RebuildSummary> {
  const restored = new Set(topics.map(({ topic }) => topic));
  const derived = options.derived === true ? await rebuildDerived(atlas, options, restored) : undefined;
  await settle(atlas.log, { signal: options.signal, parts: atlas.parts });
  const { sessions, events } = await rebuildReadModels(atlas.db, atlas.log, {
    onProgress: (done) => options.onProgress?.("Rebuilding", done),
  });
  return {
    sessions,
    events,
    ...(options.topics !== undefined && { topics }),
    ...(derived !== undefined && { derived }),
  };
}
