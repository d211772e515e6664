import { setTimeout as sleep } from "node:timers/promises";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import { withoutSecrets } from "../models/model-error.ts";

/** One request, and how patiently it is made. */
export interface HttpRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
  /** Milliseconds of one try. */
  timeoutMs: number;
  /** Further tries after 429, 5xx and network failures. */
  maxRetries: number;
  signal: AbortSignal;
}

const LONGEST_PAUSE_MS = 60_000;

/** Milliseconds that a server asks to wait: `Retry-After` is in seconds, or a date. */
function askedPause(header: string | null): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const ms = Number.isNaN(Number(header)) ? Date.parse(header) - Date.now() : Number(header) * 1000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}

/** Twice as long with each try, from half a second, and never the same for two callers. */
const ownPause = (tried: number): number => Math.min(500 * 2 ** tried, 8000) * (0.5 + Math.random() / 2);

interface Failure {
  error: AtlasError;
  pause?: number | undefined;
}

/** What a request held that must be in no error. */
const scrub = (text: string, headers: Record<string, string>): string => {
  const secrets = Object.values(headers).flatMap((value) => [value, value.replace(/^\w+\s+/, "")]);
  const known = secrets.filter((secret) => secret.length >= 6);
  return withoutSecrets(
    known.reduce((rest, secret) => rest.replaceAll(secret, "[header]"), text),
    undefined,
  );
};

function failure(request: HttpRequest, problem: string, retryable: boolean, pause?: number): Failure {
  const message = `the agent's server ${scrub(problem, request.headers)}`;
  const where = URL.canParse(request.url) ? new URL(request.url).origin : "the agent's URL";
  return { error: new AtlasError("ATLAS_AGENT_FAILED", message, { retryable, where }), pause };
}

async function tryOnce(request: HttpRequest): Promise<string | Failure> {
  const { url, method, headers, body, timeoutMs, signal } = request;
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { method, headers, body, signal: AbortSignal.any([signal, late]) });
    const text = await response.text();
    if (response.ok) return text;
    const retryable = response.status === 429 || response.status >= 500;
    const pause = askedPause(response.headers.get("retry-after"));
    return failure(request, `answered ${response.status}: ${text}`, retryable, pause);
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return failure(request, `did not answer within ${timeoutMs} ms`, true);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return failure(request, `cannot be reached: ${messageOf(cause)}`, true);
  }
}

/**
 * Makes a request and returns the text of its answer. Retries 429, 5xx and network failures alone, after as long as
 * `Retry-After` asks for (at most a minute), else after a jittered pause.
 *
 * @throws AtlasError ATLAS_AGENT_FAILED, or the signal's reason when it aborts
 */
export async function httpText(request: HttpRequest): Promise<string> {
  for (let tried = 0; ; tried++) {
    const outcome = await tryOnce(request);
    if (typeof outcome === "string") return outcome;
    if (!outcome.error.retryable || tried >= request.maxRetries) throw outcome.error;
    await sleep(outcome.pause ?? ownPause(tried), undefined, { signal: request.signal }).catch(() =>
      request.signal.throwIfAborted(),
    );
  }
}
