import { reviewer } from "../../configs/reviewer.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import { sessionRewards } from "../../processors/session-rewards.ts";
import { createEvent } from "../../schemas/codec.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { PRIMARY_TOPICS } from "../../schemas/topics.ts";
import { compareDerived, readDerived, revisionsOf } from "../compare-derived.ts";
import { type OnProgress, recompute } from "../recompute.ts";
import { openRules } from "../rules.ts";
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
  const rulesHash = hashOfBranch(await readDerived(log, branch));
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
  const until = await log.ends(PRIMARY_TOPICS);
  const differences = await compareDerived(log, await recompute(log, rules, { until, onProgress, signal }));
  const revisions = revisionsOf(differences);
  if (revisions.length > 0) await log.append(revisions.map(alreadyMasked));
  await settle(log, settling);
  return { branch, rulesHash, revised: revisions.length };
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
  const computed = await recompute(log, rules, { until, rulesHash, onProgress, signal });
  const kept = new Set(computed.get("atlas.rewards")!.map(({ meta }) => meta.session_id));
  const rewarded = (await readDerived(log, null)).get("atlas.rewards")!;
  const lost = rewarded.filter(({ meta }) => !kept.has(meta.session_id)).length;
  if (lost === 0) return;
  throw new AtlasError("ATLAS_PROMOTION_REFUSED", `${lost} rewarded sessions have no reward in ${branch}`, {
    where: "branch",
    hint: "Give a weight above 0 to one of the judges that scored them, and let its samples count.",
  });
}
