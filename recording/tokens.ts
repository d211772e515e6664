import type { Usage } from "../models/model-client.ts";
import { dollars } from "../models/prices.ts";
import type { TokenUsage } from "../schemas/generated/events.ts";
import type { ModelRole } from "../schemas/vocabulary.ts";

/** Tokens of any number of model calls. */
export interface Tokens {
  /** Missing unless every call that was answered told its tokens; so are `completion` and `total`. */
  prompt?: number;
  completion?: number;
  total?: number;
  /** Of the completion, what was thought; missing where no provider told. */
  reasoning?: number;
  /** Of the prompt, what the provider had cached; missing where no provider told. */
  cached?: number;
  calls: number;
  /** Calls that got no answer. */
  failed: number;
  /** Further tries within calls, where the client tells its tries. */
  retries: number;
  /** US dollars; missing unless the cost of every call is known. */
  cost?: number;
}

/** Tokens of a session, and whose they were. */
export interface SessionTokens extends Tokens {
  byRole: Partial<Record<ModelRole, Tokens>>;
}

/** What one call took. */
export interface Spent {
  usage?: Usage | undefined;
  /** US dollars; undefined where it is not known. */
  cost?: number | undefined;
  failed: boolean;
  /** 0 where the client does not tell. */
  tries: number;
}

interface Sum extends Required<Pick<Tokens, "prompt" | "completion" | "total">> {
  reasoning?: number;
  cached?: number;
  calls: number;
  failed: number;
  retries: number;
  cost: number | undefined;
  /** Calls that were answered, and did not tell their tokens. */
  untold: number;
}

const none = (): Sum => ({
  prompt: 0,
  completion: 0,
  total: 0,
  calls: 0,
  failed: 0,
  retries: 0,
  cost: 0,
  untold: 0,
});

function add(sum: Sum, { usage, cost, failed, tries }: Spent): void {
  sum.calls += 1;
  sum.failed += failed ? 1 : 0;
  sum.retries += Math.max(tries - 1, 0);
  sum.untold += !failed && usage === undefined ? 1 : 0;
  sum.prompt += usage?.promptTokens ?? 0;
  sum.completion += usage?.completionTokens ?? 0;
  sum.total += usage?.totalTokens ?? 0;
  if (usage?.reasoningTokens !== undefined) sum.reasoning = (sum.reasoning ?? 0) + usage.reasoningTokens;
  if (usage?.cachedTokens !== undefined) sum.cached = (sum.cached ?? 0) + usage.cachedTokens;
  sum.cost = sum.cost === undefined || cost === undefined ? undefined : sum.cost + cost;
}

/** Without any call nothing is known of a cost or of tokens: the agent may have made calls that it did not show. */
function shown({ cost, untold, prompt, completion, total, reasoning, cached, ...calls }: Sum): Tokens {
  const isTold = untold === 0 && calls.calls > calls.failed;
  return {
    ...(isTold && { prompt, completion, total }),
    ...(isTold && reasoning !== undefined && { reasoning }),
    ...(isTold && cached !== undefined && { cached }),
    ...calls,
    ...(cost !== undefined && calls.calls > 0 && { cost: dollars(cost) }),
  };
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

/** A sum of tokens, as events hold it; null where it is not known. */
export function sumOf({ prompt, completion, total, reasoning, cached, calls }: Tokens): TokenUsage | null {
  if (prompt === undefined || completion === undefined || total === undefined) return null;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: total,
    reasoning_tokens: reasoning ?? null,
    cached_tokens: cached ?? null,
    calls,
  };
}

/** Counts the tokens of model calls: of a session, or of a part of it that also counts for the whole. */
export class TokenCount {
  readonly #whole: TokenCount | undefined;
  readonly #all = none();
  readonly #byRole = new Map<ModelRole, Sum>();

  constructor(whole?: TokenCount) {
    this.#whole = whole;
  }

  add(role: ModelRole, spent: Spent): void {
    this.#whole?.add(role, spent);
    let ofRole = this.#byRole.get(role);
    if (ofRole === undefined) {
      ofRole = none();
      this.#byRole.set(role, ofRole);
    }
    add(ofRole, spent);
    add(this.#all, spent);
  }

  /** What was counted so far. */
  read(): SessionTokens {
    const byRole = Object.fromEntries([...this.#byRole].map(([role, sum]) => [role, shown(sum)]));
    return { ...shown(this.#all), byRole };
  }
}
