import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import { retryAfterMs } from "../../errors/retry-after.ts";
import { limitedText } from "../../guards/limited-body.ts";
import { takesNoRequest, withoutSecrets } from "../../models/model-error.ts";
import { CALL_BACKOFF } from "../../models/tries.ts";

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
  /** Most bytes of an answer. */
  maxBytes: number;
  signal: AbortSignal;
  /** Called as each try begins. */
  onTry?: (() => void) | undefined;
  /** Called with why a try failed after which another is made. */
  onFailedTry?: ((error: AtlasError) => void) | undefined;
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

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : "the agent's URL");

/** What went wrong with a try. */
interface Problem {
  /** What the server did, as the rest of a sentence. */
  did: string;
  /** Its answer was no: it read the request. */
  refused?: boolean;
  retryable: boolean;
  retryAfterMs?: number | undefined;
}

function failure({ url, headers }: HttpRequest, { did, refused, ...details }: Problem): AtlasError {
  const code = refused === true ? "ATLAS_AGENT_FAILED" : "ATLAS_AGENT_UNAVAILABLE";
  return new AtlasError(code, `the agent's server ${scrub(did, headers)}`, {
    ...details,
    where: originOf(url),
  });
}

const unread = ({ url }: HttpRequest, { code, message }: AtlasError): AtlasError =>
  new AtlasError(code, message.replace("the server", "the agent's server"), {
    where: originOf(url),
    hint: "Raise max_answer_mb of the agent, or let it answer with less.",
  });

const isRedirect = ({ status }: Response): boolean => status >= 300 && status < 400;

async function tryOnce(request: HttpRequest): Promise<string> {
  const { url, method, headers, body, timeoutMs, maxBytes, signal } = request;
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const ended = AbortSignal.any([signal, late]);
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal: ended });
    const text = await limitedText(response, maxBytes);
    if (response.ok) return text;
    const { status } = response;
    const why = isRedirect(response) ? "redirects are not followed, so that no key goes elsewhere" : text;
    throw failure(request, {
      did: `answered ${status}: ${why}`,
      refused: !takesNoRequest(status),
      retryable: status === 429 || status >= 500,
      retryAfterMs: retryAfterMs((name) => response.headers.get(name)),
    });
  } catch (error) {
    if (isAtlasError(error, "ATLAS_ANSWER_TOO_LARGE")) throw unread(request, error);
    if (isAtlasError(error)) throw error;
    signal.throwIfAborted();
    if (late.aborted)
      throw failure(request, { did: `did not answer within ${timeoutMs} ms`, retryable: true });
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw failure(request, { did: `cannot be reached: ${messageOf(cause)}`, retryable: true });
  }
}

/**
 * Makes a request and returns the text of its answer. Retries 429, 5xx and network failures alone, after as long as
 * `Retry-After` asks for (at most a minute), else after a jittered pause.
 *
 * @throws AtlasError ATLAS_AGENT_UNAVAILABLE where nobody answered, ATLAS_AGENT_FAILED where the server refused what
 *   the request says, ATLAS_ANSWER_TOO_LARGE, or the signal's reason when it aborts
 */
export function httpText(request: HttpRequest): Promise<string> {
  const { onTry, onFailedTry, maxRetries, signal } = request;
  return retry(
    () => {
      onTry?.();
      return tryOnce(request);
    },
    {
      ...CALL_BACKOFF,
      tries: maxRetries + 1,
      onRetry: (error) => {
        if (isAtlasError(error)) onFailedTry?.(error);
      },
      signal,
    },
  );
}
