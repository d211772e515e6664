import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { DEFAULT_RULES, type Rubric, type Rules, rulesHash } from "../../schemas/rules.ts";
import { BRANCHES, PRIMARY_TOPICS } from "../../schemas/topics.ts";
import { isMadeUp } from "../../traces/made-up.ts";
import { differencesOf, standingIn } from "../compare-derived.ts";
import { DifferenceLines, placeOf } from "../difference-lines.ts";
import { inBatches } from "../in-batches.ts";
import { type Derived, type OnProgress, recompute } from "../recompute.ts";
import { openRules, type RulesStore } from "../rules.ts";
import { SessionResults } from "../session-results.ts";
import { branchAdditions, inBranch, refuseName } from "./branch-events.ts";
import { type RescoreReport, RescoreReporter } from "./rescore-report.ts";

/** Which rubric, and where its results go. */
export interface RescoreOptions {
  rubric: Rubric;
  /** Letters, digits, dots, underscores and hyphens; named after the rules unless told. */
  branch?: string | undefined;
  /** The rules of drift and review beside the rubric; those promoted last, else the usual ones, unless told. */
  rules?: Rules | undefined;
  /** The score that sessions are told to cross; 0.8 unless told. */
  threshold?: number | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** What a rescore computed. */
export interface Rescored extends RescoreReport {
  branch: string;
  rulesHash: string;
  /** Events that were added to the branch; none where it held them already. */
  added: number;
}

const NOTHING: Derived = new Map();
const SIMULATED = "simulated";

/** Sessions that were erased: nothing new is said of them. */
async function erasedOf(log: EventLog): Promise<Set<Uuid>> {
  const erased = new Set<Uuid>();
  for await (const batch of log.read(["atlas.decisions"]))
    for (const { event } of batch)
      if (event.type === "SessionErased" && event.meta.session_id) erased.add(event.meta.session_id);
  return erased;
}

async function baseOf(rules: RulesStore): Promise<Rules> {
  const promoted = await rules.promoted();
  return promoted === undefined ? DEFAULT_RULES : rules.lookup(promoted.rulesHash);
}

/**
 * The hash of the rules that a branch was computed by; undefined for a branch that does not exist.
 */
export async function hashOfBranch(log: EventLog, branch: string): Promise<string | undefined> {
  for await (const batch of log.read([BRANCHES]))
    for (const { event } of batch) {
      const { derivation } = event.meta;
      if (derivation?.branch === branch && derivation.rules_hash !== "") return derivation.rules_hash;
    }
  return undefined;
}

/**
 * Computes what every session's recorded judgements come to under another rubric, with the drift and review that
 * would follow, into a branch of its own: nothing on a live topic changes. No model is asked. The same rubric over the
 * same log gives the same events; a second rescore adds what is new since.
 *
 * @throws AtlasError ATLAS_BRANCH_INVALID for a name that holds another rubric already
 * @example
 * const { counts, branch } = await atlas.rewards.rescore({ rubric: { ...DEFAULT_RULES.rubric, aggregation: "min" } });
 * console.log(`${counts.moved} of ${counts.sessions} scores would move`, branch);
 */
export async function rescore(log: EventLog, options: RescoreOptions): Promise<Rescored> {
  const { rubric, threshold = 0.8, onProgress, signal } = options;
  const store = openRules(log);
  const rules: Rules = { ...(options.rules ?? (await baseOf(store))), rubric };
  const branch = options.branch ?? `rubric-${rulesHash(rules).slice(0, 12)}`;
  refuseName(branch);
  const held = await hashOfBranch(log, branch);
  if (held !== undefined && held !== rulesHash(rules)) {
    throw new AtlasError("ATLAS_BRANCH_INVALID", `the branch ${branch} was computed by other rules`, {
      where: "branch",
      hint: "Give this rubric another branch: a branch holds the results of one.",
    });
  }
  const hash = await store.set(rules);
  const until = await log.ends(PRIMARY_TOPICS);
  const erased = await erasedOf(log);
  const results = new SessionResults();
  const additions = new DifferenceLines();
  const report = new RescoreReporter(threshold);
  try {
    let saying: Promise<void> = Promise.resolve();
    const onSessionEvent = (event: AtlasEvent): void => {
      if (isMadeUp(event)) saying = saying.then(() => results.say(event.meta.session_id ?? "", SIMULATED));
    };
    const computing = { until, rulesHash: hash, onProgress, onSessionEvent, signal };
    await recompute(log, store, computing, async (_, event) => {
      await saying;
      if (!erased.has(event.meta.session_id ?? "")) await results.add("computed", event);
    });
    await saying;
    await results.readDerived(log, branch);
    await results.readDerived(log, null);
    for await (const { sessionId, of, order, words } of results.sessions()) {
      if (erased.has(sessionId) && of.branch.size === 0) continue;
      const standing = erased.has(sessionId) ? NOTHING : standingIn(of.live);
      for (const difference of differencesOf(of.branch, inBranch(of.computed, branch), false))
        await additions.add(placeOf(difference.topic, sessionId, order.get(difference.topic)), difference);
      report.take({ sessionId, standing, computed: of.computed, simulated: words.has(SIMULATED) });
    }
    let added = 0;
    const differences = additions.differences();
    for await (const events of inBatches(differences, (difference) => branchAdditions([difference]))) {
      await log.append(events.map(alreadyMasked));
      added += events.length;
    }
    return { branch, rulesHash: hash, added, ...report.report() };
  } finally {
    await results.close();
    await additions.close();
  }
}
