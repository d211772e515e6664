import { createHash } from "node:crypto";
import { AtlasError } from "../../errors/atlas-error.ts";

/** How sessions are divided. */
export interface SplitPlan {
  /** The share of each part; together 1. */
  parts: Record<string, number>;
  /** What stays together: sessions of one learning key, or only the rollouts of one group. */
  by: "learning-key" | "session";
  /** Another seed divides otherwise. */
  seed: number;
}

/** All sessions in one part. */
export const UNDIVIDED: SplitPlan = { parts: { train: 1 }, by: "learning-key", seed: 0 };

/** A name that is a file name everywhere. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

const refuse = (message: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_USAGE", message, { where: "split", hint });

/**
 * Refuses parts that cannot be.
 *
 * @throws AtlasError ATLAS_USAGE
 */
export function checkSplit({ parts, seed, by }: SplitPlan): void {
  const hint = 'Name parts that sum to 1, such as "train=0.9,eval=0.1".';
  const names = Object.keys(parts);
  if (names.length === 0) throw refuse("the split has no part", hint);
  for (const name of names) {
    if (!NAME.test(name)) throw refuse(`${JSON.stringify(name)} is no name for a part`, hint);
    const share = parts[name];
    if (!(typeof share === "number" && share > 0 && share <= 1))
      throw refuse(`the share of ${name} is ${String(share)}, not above 0 and at most 1`, hint);
  }
  const sum = Object.values(parts).reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 1) > 1e-6) throw refuse(`the shares sum to ${sum}, not to 1`, hint);
  if (!Number.isSafeInteger(seed)) throw refuse(`the seed is ${seed}, not a whole number`, "Give --seed a whole number.");
  if (by !== "learning-key" && by !== "session")
    throw refuse(`it cannot be split by ${String(by)}`, "Split by learning-key or by session.");
}

/** The part that is trained on: `train`, or the first where none has that name. */
export const trainingPart = ({ parts }: SplitPlan): string =>
  Object.hasOwn(parts, "train") ? "train" : Object.keys(parts)[0]!;

/**
 * The part that a session belongs to: a function of the seed and of what stays together, and of nothing else, so that
 * it never moves as data grows.
 *
 * @example
 * partOf({ parts: { train: 0.9, eval: 0.1 }, by: "learning-key", seed: 7 }, "code-review", sessionId); // "train"
 */
export function partOf({ parts, by, seed }: SplitPlan, learningKey: string, group: string): string {
  const names = Object.keys(parts);
  const key = by === "learning-key" ? learningKey : group;
  const hash = createHash("sha256").update(JSON.stringify([seed, key])).digest();
  const at = hash.readUIntBE(0, 6) / 2 ** 48;
  let edge = 0;
  for (const name of names) {
    edge += parts[name]!;
    if (at < edge) return name;
  }
  return names.at(-1)!;
}
