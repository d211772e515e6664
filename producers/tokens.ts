import type { TokenUsage } from "../schemas/generated/events.ts";
import type { ModelRole } from "../schemas/vocabulary.ts";
import type { Usage } from "./models/model-client.ts";

/** Tokens of any number of model calls. */
export interface Tokens {
  prompt: number;
  completion: number;
  total: number;
  calls: number;
}

/** Tokens of a session, and whose they were. Calls whose provider did not tell their tokens count as calls. */
export interface SessionTokens extends Tokens {
  byRole: Partial<Record<ModelRole, Tokens>>;
}

const none = (): Tokens => ({ prompt: 0, completion: 0, total: 0, calls: 0 });

function add(sum: Tokens, usage: Usage | undefined): void {
  sum.calls += 1;
  sum.prompt += usage?.promptTokens ?? 0;
  sum.completion += usage?.completionTokens ?? 0;
  sum.total += usage?.totalTokens ?? 0;
}

/** The tokens of one call, as events hold them. */
export const usageOf = (usage: Usage): TokenUsage => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.totalTokens,
  reasoning_tokens: usage.reasoningTokens ?? null,
  cached_tokens: usage.cachedTokens ?? null,
  calls: 1,
});

/** A sum of tokens, as events hold it; null for no call at all. */
export const sumOf = (tokens: Tokens): TokenUsage | null =>
  tokens.calls === 0
    ? null
    : {
        prompt_tokens: tokens.prompt,
        completion_tokens: tokens.completion,
        total_tokens: tokens.total,
        calls: tokens.calls,
      };

/** Counts the tokens of model calls: of a session, or of a part of it that also counts for the whole. */
export class TokenCount {
  readonly #whole: TokenCount | undefined;
  readonly #all = none();
  readonly #byRole = new Map<ModelRole, Tokens>();

  constructor(whole?: TokenCount) {
    this.#whole = whole;
  }

  add(role: ModelRole, usage: Usage | undefined): void {
    this.#whole?.add(role, usage);
    let ofRole = this.#byRole.get(role);
    if (ofRole === undefined) {
      ofRole = none();
      this.#byRole.set(role, ofRole);
    }
    add(ofRole, usage);
    add(this.#all, usage);
  }

  /** What was counted so far. */
  read(): SessionTokens {
    const byRole = Object.fromEntries([...this.#byRole].map(([role, tokens]) => [role, { ...tokens }]));
    return { ...this.#all, byRole };
  }
}
