import { reviewer } from "../../configs/reviewer.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import { sessionRewards } from "../../processors/session-rewards.ts";
import { createEvent } from "../../schemas/codec.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { PRIMARY_TOPICS } from "../../schemas/topics.ts";
import { revisionsOf } from "../compare-derived.ts";
import { findDifferences } from "../differences.ts";
import { inBatches } from "../in-batches.ts";
import { type OnProgress, recompute } from "../recompute.ts";
import { openRules } from "../rules.ts";
import { SessionResults } from "../session-results.ts";
import { type SettleOptions, settle } from "../stages.ts";
import { hashOfBranch } from "./rescore.ts";

/** Which branch becomes the current one. */
export interface PromoteOptions {
  branch: string;
  /** Who promotes it; `ATLAS_REVIEWER`, else the user of the operating system, unless told. */
  author?: string | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** What a promotion did. */
export interface Promoted {
  branch: string;
  rulesHash: string;
  /** Rewards and assessments that were revised. */
  revised: number;
}

/**
 * Makes the rules of a branch the current ones, for sessions to come and for all there are: a `DerivationPromoted`
 * says so, and what differs under them is published as revisions, which read models follow and nobody is alerted of.
 * One that was interrupted is completed by the next; one that is done changes nothing.
 *
 * @throws AtlasError ATLAS_BRANCH_NOT_FOUND; ATLAS_PROMOTION_REFUSED where sessions would lose their reward;
 *   ATLAS_CONSUMER_BEHIND when consumers do not keep up
 * @example
 * const { branch } = await atlas.rewards.rescore({ rubric });
 * await atlas.rewards.promote({ branch });
 */
export async function promote(log: EventLog, options: PromoteOptions): Promise<Promoted> {
  const { branch, author = reviewer(), onProgress, signal } = options;
  const settling: SettleOptions = signal === undefined ? {} : { signal };
  const rulesHash = await hashOfBranch(log, branch);
  if (rulesHash === undefined) {
    throw new AtlasError("ATLAS_BRANCH_NOT_FOUND", `the log holds no branch ${JSON.stringify(branch)}`, {
      where: "branch",
      hint: "`atlas rewards rescore --rubric FILE --branch NAME` makes one.",
    });
  }
  await settle(log, settling);
  const rules = openRules(log);
  await refuseLosses(log, branch, rulesHash, options);
  const last = await rules.promoted();
  if (last?.rulesHash !== rulesHash || last.overtaken) {
    const meta = { event_id: newId(), source: `promotion/${newId()}`, sequence: 1 };
    const { name: processor, version } = sessionRewards;
    await log.append([
      log.mask(
        createEvent(
          "DerivationPromoted",
          { ...meta, occurred_at: nowMicros(), time_assumed: false },
          { processor, version, rules_hash: rulesHash, branch, author },
        ),
      ),
    ]);
  }
  const found = await findDifferences(log, rules, { onProgress, signal });
  let revised = 0;
  try {
    for await (const revisions of inBatches(found, (difference) => revisionsOf([difference]))) {
      await log.append(revisions.map(alreadyMasked));
      revised += revisions.length;
    }
  } finally {
    await found.close();
  }
  await settle(log, settling);
  return { branch, rulesHash, revised };
}

/** A reward can be revised and not be taken back: there is no event that says a session has none any longer. */
async function refuseLosses(
  log: EventLog,
  branch: string,
  rulesHash: string,
  { onProgress, signal }: PromoteOptions,
): Promise<void> {
  const rules = openRules(log);
  const until = await log.ends(PRIMARY_TOPICS);
  await rules.promoted();
  const results = new SessionResults();
  let lost = 0;
  try {
    const options = { until, rulesHash, onProgress, signal };
    await recompute(log, rules, options, async (topic, event) => {
      if (topic === "atlas.rewards") await results.add("computed", event);
    });
    await results.readDerived(log, null);
    for await (const { of } of results.sessions())
      if (of.live.has("atlas.rewards") && !of.computed.has("atlas.rewards")) lost += 1;
  } finally {
    await results.close();
  }
  if (lost === 0) return;
  throw new AtlasError("ATLAS_PROMOTION_REFUSED", `${lost} rewarded sessions have no reward in ${branch}`, {
    where: "branch",
    hint: "Give a weight above 0 to one of the judges that scored them, and let its samples count.",
  });
}
