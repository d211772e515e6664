import { compareDerived, type Difference, revisionsOf } from "../derivation/compare-derived.ts";
import { recompute } from "../derivation/recompute.ts";
import { type RenewOptions, renewBaselines } from "../derivation/renew-baselines.ts";
import { type SettleOptions, settle } from "../derivation/stages.ts";
import { rebuildReadModels } from "../projections/rebuild.ts";
import { alreadyMasked } from "../schemas/masked.ts";
import { PRIMARY_TOPICS } from "../schemas/topics.ts";
import type { OpenParts } from "./api/open-parts.ts";

/** What to rebuild. */
export interface RebuildOptions {
  /** Compute derived events again, too. */
  derived?: boolean;
  /** Decides whether results that differ are published as revisions; they are not unless told. */
  mayPublish?: (differences: readonly Difference[]) => Promise<boolean>;
  onProgress?: (what: string, events: number) => void;
  signal?: AbortSignal;
}

/** What a rebuild did. */
export interface RebuildSummary {
  sessions: number;
  events: number;
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

async function rebuildDerived(
  atlas: Rebuildable,
  options: RebuildOptions,
): Promise<NonNullable<RebuildSummary["derived"]>> {
  const { log, rules, parts } = atlas;
  const renewing: RenewOptions = {
    onProgress: (events) => options.onProgress?.("Renewing", events),
    signal: options.signal,
  };
  const settling: SettleOptions = { signal: options.signal, parts };
  await settle(log, settling);
  const derived = await recompute(log, rules, {
    until: await log.ends(PRIMARY_TOPICS),
    onProgress: (events) => options.onProgress?.("Computing", events),
    signal: options.signal,
  });
  const recomputed = [...derived.values()].reduce((sum, events) => sum + events.length, 0);
  const differences = await compareDerived(log, derived);
  const first = differences.find(({ explained }) => explained === undefined) ?? differences[0];
  const summary = {
    recomputed,
    differences: differences.length,
    explained: differences.filter(({ explained }) => explained !== undefined).length,
    ...(first !== undefined && { first: `${first.topic} of ${first.sessionId}: ${first.what}` }),
  };
  const revisions = revisionsOf(differences);
  const mayPublish = differences.length > 0 && (await options.mayPublish?.(differences)) === true;
  if (revisions.length > 0 && !mayPublish) return { ...summary, published: 0 };
  if (revisions.length > 0) {
    await log.append(revisions.map(alreadyMasked));
    await settle(log, settling);
  }
  await renewBaselines(log, rules, renewing);
  return { ...summary, published: revisions.length };
}

/**
 * Rebuilds the read models from the log beside the live ones, and swaps; with `derived` first computes the
 * derived events again from the primary ones, and holds these against the log.
 *
 * @throws AtlasError ATLAS_CONSUMER_BEHIND when consumers do not keep up
 */
export async function rebuild(atlas: Rebuildable, options: RebuildOptions = {}): Promise<RebuildSummary> {
  const derived = options.derived === true ? await rebuildDerived(atlas, options) : undefined;
  await settle(atlas.log, { signal: options.signal, parts: atlas.parts });
  const { sessions, events } = await rebuildReadModels(atlas.db, atlas.log, {
    onProgress: (done) => options.onProgress?.("Rebuilding", done),
  });
  return { sessions, events, ...(derived !== undefined && { derived }) };
}
