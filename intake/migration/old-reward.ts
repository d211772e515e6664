import type { JsonText } from "../../schemas/generated/events.ts";
import { itemsOf, jsonIn, memberOf, numberIn, textIn, type Written } from "./old-json.ts";

/** A score that a judge of the Python SDK gave. */
export interface OldJudgement {
  judge: string;
  /** As it was stored; it may lie outside of 0 to 1. */
  score: number;
  uncertainty: number | undefined;
  rationale: string | undefined;
  principles: JsonText | null;
  temperature: number | undefined;
}

/** What the Python SDK recorded of a reward. */
export interface OldReward {
  judgements: OldJudgement[];
  /** Why there is none, where the record shows that nobody judged. */
  failure?: string;
}

const DEFAULT_JUDGE = "session_reward";
/** Scores are means of their samples as far as floating point goes. */
const SAME = 1e-6;

function judgementOf(judge: string, said: Written, fallback: Written): OldJudgement | undefined {
  const score = numberIn(memberOf(said, "score"));
  if (score === undefined) return undefined;
  const rationale = textIn(memberOf(said, "rationale")) ?? textIn(memberOf(fallback, "rationale"));
  const own = jsonIn(memberOf(said, "principles"));
  return {
    judge,
    score,
    uncertainty: numberIn(memberOf(said, "uncertainty")),
    rationale,
    principles: own === null || own === "[]" ? jsonIn(memberOf(fallback, "principles")) : own,
    temperature: numberIn(memberOf(said, "temperature")),
  };
}

function judgementsOf(judge: Written): OldJudgement[] {
  const name = textIn(memberOf(judge, "identifier")) ?? DEFAULT_JUDGE;
  const samples = itemsOf(memberOf(judge, "samples")).flatMap(
    (sample) => judgementOf(name, sample, judge) ?? [],
  );
  return samples.length > 0 ? samples : [judgementOf(name, judge, judge) ?? []].flat();
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** A failed evaluation was stored as the score 0; its audit tells the two apart. */
const allFailed = (audit: Written): boolean => {
  const entries = itemsOf(audit);
  return entries.length > 0 && entries.every((entry) => memberOf(entry, "error").value !== undefined);
};

/**
 * Reads a reward of the Python SDK: a judgement for each sample that it kept, so that the mean of each judge is the
 * score that it had. Placeholders of what was never judged are no rewards.
 */
export function oldReward(reward: Written, audit: Written): OldReward | undefined {
  const score = numberIn(reward) ?? numberIn(memberOf(reward, "score"));
  if (score === undefined) return undefined;
  if (memberOf(memberOf(reward, "raw"), "skipped").value === true) return undefined;
  if (allFailed(audit)) return { judgements: [], failure: "every call of the judge had failed" };
  const judges = itemsOf(memberOf(reward, "judges")).map(judgementsOf);
  const scores = judges
    .filter((given) => given.length > 0)
    .map((given) => mean(given.map((one) => one.score)));
  if (scores.length > 0 && Math.abs(mean(scores) - score) <= SAME) return { judgements: judges.flat() };
  // Put together in a way that the samples do not show: the score counts.
  const rationale = textIn(memberOf(reward, "rationale"));
  const only = { judge: DEFAULT_JUDGE, score, rationale, principles: null };
  return { judgements: [{ ...only, uncertainty: undefined, temperature: undefined }] };
}
