import { AtlasError, messageOf } from "../../errors/atlas-error.ts";

/** Whom was asked. */
export interface Asked {
  provider: string;
  model: string;
  baseUrl?: string | undefined;
  /** The key, so that it can be taken out of what the provider answered. */
  apiKey?: string | undefined;
}

const LOOKS_LIKE_A_KEY = /\b(?:sk|xai|gsk|hf|AIza)[-_]?[A-Za-z0-9*._-]{12,}/g;
const LONGEST_MESSAGE = 500;

/** A URL as it may be shown: without credentials and query. */
function shownUrl(url: string): string {
  if (!URL.canParse(url)) return "[url]";
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/**
 * A text without the key, anything that looks like one, and what a URL hides: providers repeat the key that they
 * refuse, and Node the URL. At most 500 characters.
 *
 * @example
 * withoutSecrets("refused sk-proj-0123456789abcdef", undefined); // "refused [key]"
 */
export function withoutSecrets(text: string, apiKey: string | undefined): string {
  const known = apiKey === undefined || apiKey.length < 4 ? text : text.replaceAll(apiKey, "[key]");
  return known
    .replace(/https?:\/\/[^\s"']+/g, shownUrl)
    .replace(LOOKS_LIKE_A_KEY, "[key]")
    .slice(0, LONGEST_MESSAGE);
}

function deepest(error: unknown): unknown {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner;
}

const statusOf = (error: unknown): number | undefined => {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === "number" ? status : undefined;
};

function hintFor(status: number | undefined, network: boolean): string | undefined {
  if (status === 401 || status === 403) return "Check the provider's API key in the environment.";
  if (status === 404) return "Check the model's name and the base URL.";
  if (status === 429) return "The provider limits the rate; wait, or run fewer sessions at once.";
  if (network) return "Check that the base URL answers.";
  return undefined;
}

/**
 * Turns what an SDK threw into an ATLAS_MODEL_FAILED that names provider, model and status, and never the key. The
 * original is not kept as its cause: it may hold what was sent.
 *
 * @param network the provider could not be reached, or did not answer in time
 */
export function modelError(error: unknown, asked: Asked, network = false): AtlasError {
  const { provider, model, apiKey } = asked;
  const status = statusOf(error);
  const root = deepest(error);
  const detail = root === error ? messageOf(error) : `${messageOf(error)} ${messageOf(root)}`;
  const where = asked.baseUrl === undefined ? undefined : shownUrl(asked.baseUrl);
  const hint = hintFor(status, network);
  return new AtlasError("ATLAS_MODEL_FAILED", `${provider} ${model}: ${withoutSecrets(detail, apiKey)}`, {
    retryable: network || status === 408 || status === 429 || (status !== undefined && status >= 500),
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** An answer that cannot be used. */
export const unusableReply = ({ provider, model }: Asked, problem: string): AtlasError =>
  new AtlasError("ATLAS_MODEL_FAILED", `${provider} ${model} ${problem}`);

/** A stream that ended before the answer did; what came of it is no answer. */
export const halfAnswer = ({ provider, model }: Asked): AtlasError =>
  new AtlasError("ATLAS_MODEL_FAILED", `${provider} ${model}: the stream ended in the middle of the answer`, {
    retryable: true,
  });
