import { createHash } from "node:crypto";
import type { ModelClient } from "../models/model-client.ts";
import type { PlanStep } from "../schemas/generated/events.ts";

/**
 * The teacher's verdict. `none` means that it gave no verdict that could be read, also when asked again, or that its
 * model failed. It is not a success: the attempt is not accepted. It is not a rejection either, so there is nothing
 * to tell the student, which is not asked again.
 */
export interface Verdict {
  verdict: "valid" | "invalid" | "none";
  guidance?: string;
  reason?: string;
}

/** A plan as the teacher left it. */
export interface KeptReview {
  steps: readonly PlanStep[];
  concerns: readonly string[];
}

/** Answers by the questions that they were given to. */
export interface Remembered<T> {
  get(key: string): T | undefined;
  set(key: string, answer: T): void;
}

/** A teacher's verdicts by the attempts that they were given on; sessions that share it share them. */
export interface VerdictCache extends Remembered<Verdict> {
  /** Its reviews, by the plans. */
  readonly reviews: Remembered<KeptReview>;
}

/** The key of a question to a model: the same for the same question to the same model, and for nothing else. */
export const questionKey = ({ provider, model, defaults }: ModelClient, question: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify([provider, model, defaults, question]))
    .digest("hex");

function lastUsed<T>(limit: number): Remembered<T> {
  const known = new Map<string, T>();
  return {
    get(key) {
      const answer = known.get(key);
      if (answer === undefined) return undefined;
      known.delete(key);
      known.set(key, answer);
      return answer;
    },
    set(key, answer) {
      known.delete(key);
      known.set(key, answer);
      if (known.size > limit) known.delete(known.keys().next().value!);
    },
  };
}

/**
 * Remembers the verdicts and plan reviews that were used last. Give it to sessions of the same task, such as a group
 * of rollouts: a plan, or an answer with the same guidance and prior results, that the teacher has seen is then not
 * sent to it again.
 *
 * @param limit most verdicts, and most reviews; 1000 unless told
 * @example
 * const verdicts = verdictCache();
 * await Promise.all([1, 2, 3].map(() => atlas.run({ task, agent, verdicts })));
 */
export const verdictCache = ({ limit = 1000 }: { limit?: number } = {}): VerdictCache => ({
  ...lastUsed<Verdict>(limit),
  reviews: lastUsed<KeptReview>(limit),
});
