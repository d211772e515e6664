import type { ReportOptions } from "../../derivation/reports/assessed-sessions.ts";
import { type DriftReport, driftReport } from "../../derivation/reports/drift-report.ts";
import { type RewardReport, rewardReport } from "../../derivation/reports/reward-report.ts";
import { type Promoted, type PromoteOptions, promote } from "../../derivation/rescore/promote.ts";
import { type Rescored, type RescoreOptions, rescore } from "../../derivation/rescore/rescore.ts";
import type { OpenParts } from "./open-parts.ts";

/** The rewards of an open Atlas. */
export interface Rewards {
  /**
   * How the rewards of sessions are distributed, and how they went. Await `settled()` first to see the latest.
   *
   * @example
   * const { groups } = await atlas.rewards.report({ by: "agent" });
   */
  report(options?: ReportOptions): Promise<RewardReport>;
  /**
   * Computes what every session's recorded judgements come to under another rubric, with the drift and review that
   * would follow, into a branch of its own: nothing on a live topic changes, and no model is asked.
   *
   * @throws AtlasError ATLAS_BRANCH_INVALID for a name that holds another rubric already
   * @example
   * const { branch, counts } = await atlas.rewards.rescore({ rubric });
   */
  rescore(options: RescoreOptions): Promise<Rescored>;
  /**
   * Makes the rules of a branch the current ones, for sessions to come and for all there are.
   *
   * @throws AtlasError ATLAS_BRANCH_NOT_FOUND; ATLAS_PROMOTION_REFUSED where sessions would lose their reward;
   *   ATLAS_CONSUMER_BEHIND when consumers do not keep up
   * @example
   * await atlas.rewards.promote({ branch });
   */
  promote(options: PromoteOptions): Promise<Promoted>;
}

/** The drift of an open Atlas. */
export interface Drift {
  /**
   * Which sessions raised alerts, why and when. Await `settled()` first to see the latest.
   *
   * @example
   * const { alerts } = await atlas.drift.report({ learningKey: "support" });
   */
  report(options?: ReportOptions): Promise<DriftReport>;
}

/** {@link Rewards} of these parts. */
export const rewardsOf = ({ log, db }: OpenParts): Rewards => ({
  report: (options) => rewardReport({ log, db }, options),
  rescore: (options) => rescore(log, options),
  promote: (options) => promote(log, options),
});

/** {@link Drift} of these parts. */
export const driftOf = ({ log, db }: OpenParts): Drift => ({
  report: (options) => driftReport({ log, db }, options),
});
