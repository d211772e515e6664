import { AtlasError, type AtlasErrorDetails, messageOf } from "../errors/atlas-error.ts";
import { retryAfterMs } from "../errors/retry-after.ts";

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

/** How far a failed call came. */
interface HowFar {
  /** The HTTP status with which the provider refused; undefined where it did not answer, or not to the end. */
  status?: number | undefined;
  /** Nobody answered, and what was asked has no part in it. */
  unavailable?: boolean;
}

/** A failed call, and how far it came: ATLAS_MODEL_UNAVAILABLE where nobody answered, else ATLAS_MODEL_FAILED. */
export class ModelFailure extends AtlasError {
  /** The HTTP status with which the provider refused; undefined where it did not answer, or not to the end. */
  readonly status: number | undefined;

  constructor(message: string, details: AtlasErrorDetails, { status, unavailable = false }: HowFar = {}) {
    super(unavailable ? "ATLAS_MODEL_UNAVAILABLE" : "ATLAS_MODEL_FAILED", message, details);
    this.status = status;
  }
}

/** What Node's sockets and its fetch report: the provider was not reached, or the connection broke. */
const NETWORK_CODE = /^(E(?!RR_)[A-Z_]{4,}|ERR_(TLS|SSL)_\w+|UND_ERR_\w+|\w*CERT\w*|UNABLE_TO_\w+)$/;
/** How SDKs name the same where they keep no code. */
const NETWORK_NAME = /^(APIConnection(Timeout)?Error|(Connect)?TimeoutError)$/;
const NO_REDIRECT =
  "Redirects are not followed, so that no key goes elsewhere; set the base URL to the final place.";

const headersOf = (error: unknown): Headers | undefined => {
  const headers = (error as { headers?: unknown } | null)?.headers;
  return headers instanceof Headers ? headers : undefined;
};

/** The provider's own word goes first; an account without credit stays without. */
function isWorthAnotherTry(error: unknown, status: number): boolean {
  const shouldRetry = headersOf(error)?.get("x-should-retry");
  if (shouldRetry === "true" || shouldRetry === "false") return shouldRetry === "true";
  if ((error as { code?: unknown }).code === "insufficient_quota") return false;
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/** The statuses of servers that took a request and refused what it says. */
const REFUSED_CONTENT: ReadonlySet<number> = new Set([400, 413, 422]);

/** A status by which a server took no request at all: a wrong address, key, credit, rate, or a fault of its own. */
export const takesNoRequest = (status: number): boolean => !REFUSED_CONTENT.has(status);

/** Some providers refuse a key, or an account without credit, as if the request were wrong: by type or code, */
const ACCOUNT_TYPE = /auth|permission|quota|billing|api_key/i;
/** or in words alone. */
const ACCOUNT_WORDS = /\bapi[ _-]?key\b|credit balance/i;

/** What no further try would mend, by the names that providers give it. */
const OWN_FAULT = /invalid|bad.?request|auth|permission|not.?found|quota|billing|policy|filter/i;

/** Says whether a server gave up in the middle of a stream: the SDKs then know an error, headers and no status. */
function gaveUpMidway(error: unknown): boolean {
  if (headersOf(error) === undefined) return false;
  const { type } = error as { type?: unknown };
  const code = codeOf(error);
  if (typeof code === "number" && code >= 400) return isWorthAnotherTry(error, code);
  return !OWN_FAULT.test(`${String(type)} ${String(code)}`);
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** Says whether nobody answered, and for a reason that lies not in what was asked. */
function isUnavailable(error: unknown, status: number | undefined, network: boolean): boolean {
  const { type } = error as { type?: unknown };
  const ofAccount =
    ACCOUNT_TYPE.test(`${String(type)} ${String(codeOf(error))}`) || ACCOUNT_WORDS.test(messageOf(error));
  if (status !== undefined) return takesNoRequest(status) || ofAccount;
  return network || gaveUpMidway(error) || (headersOf(error) !== undefined && ofAccount);
}

const statusOf = (error: unknown): number | undefined => {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === "number" ? status : undefined;
};

const namesOf = (error: unknown): string[] =>
  error instanceof Error ? [error.name, error.constructor.name] : [];

const isNetwork = (error: unknown): boolean =>
  NETWORK_CODE.test(String(codeOf(error))) || namesOf(error).some((name) => NETWORK_NAME.test(name));

function hintFor(status: number | undefined, network: boolean): string | undefined {
  if (status === 401 || status === 403) return "Check the provider's API key in the environment.";
  if (status === 404) return "Check the model's name and the base URL.";
  if (status !== undefined && status >= 300 && status < 400) return NO_REDIRECT;
  if (status === 429) return "The provider limits the rate; wait, or run fewer sessions at once.";
  if (network) return "Check that the base URL answers.";
  return undefined;
}

/**
 * Turns what an SDK threw into a failure that names provider, model and status, and never the key. The original is
 * not kept as its cause: it may hold what was sent.
 *
 * @param unreachable the provider could not be reached, or did not answer in time
 */
export function modelError(error: unknown, asked: Asked, unreachable = false): ModelFailure {
  const { provider, model, apiKey } = asked;
  const status = statusOf(error);
  const root = deepest(error);
  const network = status === undefined && (unreachable || isNetwork(error) || isNetwork(root));
  const detail = root === error ? messageOf(error) : `${messageOf(error)} ${messageOf(root)}`;
  const where = asked.baseUrl === undefined ? undefined : shownUrl(asked.baseUrl);
  const hint = hintFor(status, network);
  const details = {
    retryable: status === undefined ? network || gaveUpMidway(error) : isWorthAnotherTry(error, status),
    ...(where === undefined ? {} : { where: withoutSecrets(where, apiKey) }),
    ...(hint === undefined ? {} : { hint }),
    retryAfterMs: retryAfterMs((name) => headersOf(error)?.get(name)),
  };
  return new ModelFailure(`${provider} ${model}: ${withoutSecrets(detail, apiKey)}`, details, {
    status,
    unavailable: isUnavailable(error, status, network),
  });
}

/** A call without the key that it needs; the provider is not asked. */
export const keyMissing = ({ provider, model }: Asked, apiKeyEnv: string): ModelFailure =>
  new ModelFailure(
    `${provider} ${model} needs a key`,
    { hint: `Set ${apiKeyEnv} in the environment.` },
    { unavailable: true },
  );

/** A try that took too long. */
export const lateReply = (asked: Asked, ms: number): ModelFailure =>
  new ModelFailure(
    `${asked.provider} ${asked.model} did not answer within ${ms} ms`,
    { retryable: true, hint: "Give it a longer timeout, or a smaller task." },
    { unavailable: true },
  );

/**
 * An answer that cannot be used.
 *
 * @param unavailable the server says in it that it had none to give
 */
export const unusableReply = (
  { provider, model }: Asked,
  problem: string,
  unavailable = false,
): ModelFailure => new ModelFailure(`${provider} ${model} ${problem}`, {}, { unavailable });

/** A stream that ended before the answer did; what came of it is no answer. */
export const halfAnswer = ({ provider, model }: Asked): ModelFailure =>
  new ModelFailure(
    `${provider} ${model}: the stream ended in the middle of the answer`,
    { retryable: true },
    { unavailable: true },
  );
