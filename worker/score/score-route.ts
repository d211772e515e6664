import type { IncomingMessage } from "node:http";
import type { ScoreLimits } from "../../configs/score-schema.ts";
import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import { limitedSignal, unlessAborted } from "../../recording/session-scope.ts";
import { authorize, type WorkerAccess } from "../worker-access.ts";
import { Admission } from "./admission.ts";
import { readScoreRequest } from "./score-request.ts";
import type { Scorer } from "./scorer.ts";

/** How a worker scores what it is sent. */
export interface Scoring extends WorkerAccess {
  score: Scorer;
  limits: Pick<ScoreLimits, "maxRequests" | "maxMb" | "maxWaitingMb">;
  /** Milliseconds for a score; 5 minutes unless told. */
  timeoutMs?: number | undefined;
  /** Told of what fails here, rather than in a request. */
  logger?: GuardedLogger | undefined;
}

/** What is answered, as JSON. */
export interface ScoreAnswer {
  status: number;
  value: unknown;
  headers?: Record<string, string>;
}

const MIB = 1024 * 1024;
const TIMEOUT_MS = 300_000;
/** Judges take seconds, so coming again at once is of no use. */
const RETRY_AFTER_SECONDS = "2";

const STATUS: Readonly<Record<string, number>> = {
  ATLAS_REQUEST_INVALID: 400,
  ATLAS_REQUEST_UNAUTHORIZED: 401,
  ATLAS_REQUEST_TOO_LARGE: 413,
  ATLAS_WORKER_BUSY: 429,
  ATLAS_CONFIG_INVALID: 503,
  ATLAS_DEADLINE_PASSED: 504,
};

const HEADERS: Readonly<Record<number, Record<string, string>>> = {
  401: { "www-authenticate": "Bearer" },
  413: { connection: "close" },
  429: { "retry-after": RETRY_AFTER_SECONDS },
};

const tooLarge = (maxBytes: number): AtlasError =>
  new AtlasError("ATLAS_REQUEST_TOO_LARGE", `a request may have ${maxBytes} bytes`, {
    hint: "Leave out what judges have no use for, such as trajectory_events.",
  });

/** What a request says of its length; one that says nothing may be as long as any. */
function lengthOf({ headers }: IncomingMessage, maxBytes: number): number {
  const told = headers["content-length"];
  const bytes = told === undefined ? maxBytes : Number(told);
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function failure(error: unknown): ScoreAnswer {
  if (!isAtlasError(error)) {
    const code = "ATLAS_UNEXPECTED";
    return { status: 500, value: { error: { code, message: messageOf(error), hint: null } } };
  }
  const { code, message, hint } = error;
  const status = STATUS[code] ?? 500;
  return {
    status,
    value: { error: { code, message, hint: hint ?? null } },
    ...(HEADERS[status] !== undefined && { headers: HEADERS[status] }),
  };
}

const invalid = (message: string): AtlasError => new AtlasError("ATLAS_REQUEST_INVALID", message);

/**
 * Opens the answers to `POST /score`: a trace and perhaps a rubric in, what the judges make of it out. Errors are JSON too,
 * each with a code.
 *
 * @returns a function that answers a request; its signal aborts when nobody waits for the answer any more, and with it the
 *   judges
 */
export function scoreRoute(
  scoring: Scoring,
): (request: IncomingMessage, gone: AbortSignal) => Promise<ScoreAnswer> {
  const { timeoutMs = TIMEOUT_MS, score, limits } = scoring;
  const maxBytes = Math.floor(limits.maxMb * MIB);
  const admission = new Admission({ requests: limits.maxRequests, bytes: limits.maxWaitingMb * MIB });
  const late = (): AtlasError =>
    new AtlasError("ATLAS_DEADLINE_PASSED", `the judges took longer than ${timeoutMs} ms`);
  return async (request, gone) => {
    try {
      if (request.method !== "POST") {
        const { value } = failure(invalid("scores are asked for with POST"));
        return { status: 405, value, headers: { allow: "POST" } };
      }
      authorize(request, scoring);
      if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
        const { value } = failure(invalid("the content type is not application/json"));
        return { status: 415, value };
      }
      using _place = admission.enter(lengthOf(request, maxBytes));
      using ending = limitedSignal(gone, timeoutMs, late);
      const value = await unlessAborted(ending.signal, async () => {
        const asked = readScoreRequest(await bodyOf(request, maxBytes));
        return score(asked, ending.signal);
      });
      return { status: 200, value };
    } catch (error) {
      const answer = failure(error);
      if (answer.status >= 500 && !gone.aborted)
        scoring.logger?.of("score").error({ code: "ATLAS_SCORE_FAILED", err: error }, "a score failed");
      return answer;
    }
  };
}
