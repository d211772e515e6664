import { createHash } from "node:crypto";
import type { ModelClient } from "./models/model-client.ts";

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

/** A teacher's verdicts by the attempts that they were given on; sessions that share it share them. */
export interface VerdictCache {
  get(key: string): Verdict | undefined;
  set(key: string, verdict: Verdict): void;
}

/** The key of a question to a model: the same for the same question to the same model, and for nothing else. */
export const questionKey = ({ provider, model }: ModelClient, question: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify([provider, model, question]))
    .digest("hex");

/**
 * Remembers the verdicts that were used last. Give it to sessions of the same task, such as a group of rollouts: an
 * answer that the teacher has seen, with the same guidance and prior results, is then not sent to it again.
 *
 * @param limit most verdicts; 1000 unless told
 * @example
 * const verdicts = verdictCache();
 * await Promise.all([1, 2, 3].map(() => atlas.run({ task, agent, verdicts })));
 */
export function verdictCache({ limit = 1000 }: { limit?: number } = {}): VerdictCache {
  const known = new Map<string, Verdict>();
  return {
    get(key) {
      const verdict = known.get(key);
      if (verdict === undefined) return undefined;
      known.delete(key);
      known.set(key, verdict);
      return verdict;
    },
    set(key, verdict) {
      known.delete(key);
      known.set(key, verdict);
      if (known.size > limit) known.delete(known.keys().next().value!);
    },
  };
}
