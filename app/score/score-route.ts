import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { limitedSignal, unlessAborted } from "../../recording/session-scope.ts";
import { readScoreRequest } from "./score-request.ts";
import type { Scorer } from "./scorer.ts";

/** How a worker scores what it is sent. */
export interface Scoring {
  score: Scorer;
  /** What requests have to carry; without one, only those from this machine are answered. */
  token: string | undefined;
  /** Whether the worker listens on this machine only. */
  loopback: boolean;
  /** Most bytes of a request; 8 MiB unless told. */
  maxBytes?: number | undefined;
  /** Milliseconds for a score; 5 minutes unless told. */
  timeoutMs?: number | undefined;
}

/** What is answered, as JSON. */
export interface ScoreAnswer {
  status: number;
  value: unknown;
  headers?: Record<string, string>;
}

const MAX_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 300_000;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const STATUS: Readonly<Record<string, number>> = {
  ATLAS_REQUEST_INVALID: 400,
  ATLAS_REQUEST_UNAUTHORIZED: 401,
  ATLAS_REQUEST_TOO_LARGE: 413,
  ATLAS_CONFIG_INVALID: 503,
  ATLAS_DEADLINE_PASSED: 504,
};

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

const unauthorized = (message: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_REQUEST_UNAUTHORIZED", message, { hint });

/** Scores cost money: pages in a browser on this machine must not get any either, so a strange Host is refused. */
function authorize({ headers }: IncomingMessage, { token, loopback }: Scoring): void {
  if (token === undefined) {
    if (!loopback)
      throw unauthorized(
        "this worker is open to the network and has no token",
        "Set ATLAS_WORKER_TOKEN where it runs, or let it listen on 127.0.0.1.",
      );
    if (!LOCAL_HOST.test(headers.host ?? ""))
      throw unauthorized("the request is addressed to another host", "Use http://127.0.0.1 and the port.");
    return;
  }
  const [, given = ""] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  if (!timingSafeEqual(digest(given), digest(token)))
    throw unauthorized("the token is missing or wrong", "Send it as `Authorization: Bearer …`.");
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLarge = (): AtlasError =>
    new AtlasError("ATLAS_REQUEST_TOO_LARGE", `a request may have ${maxBytes} bytes`, {
      hint: "Leave out what judges have no use for, such as trajectory_events.",
    });
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) throw tooLarge();
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
    ...(status === 401 && { headers: { "www-authenticate": "Bearer" } }),
    ...(status === 413 && { headers: { connection: "close" } }),
  };
}

/**
 * Answers `POST /score`: a trace and perhaps a rubric in, what the judges make of it out. Errors are JSON too, each
 * with a code.
 *
 * @param gone aborts when nobody waits for the answer any more
 */
export async function answerScore(
  request: IncomingMessage,
  scoring: Scoring,
  gone: AbortSignal,
): Promise<ScoreAnswer> {
  const { maxBytes = MAX_BYTES, timeoutMs = TIMEOUT_MS, score } = scoring;
  const invalid = (message: string): AtlasError => new AtlasError("ATLAS_REQUEST_INVALID", message);
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
    const late = (): AtlasError =>
      new AtlasError("ATLAS_DEADLINE_PASSED", `the judges took longer than ${timeoutMs} ms`);
    using ending = limitedSignal(gone, timeoutMs, late);
    const asked = readScoreRequest(await bodyOf(request, maxBytes));
    return { status: 200, value: await unlessAborted(ending.signal, () => score(asked, ending.signal)) };
  } catch (error) {
    return failure(error);
  }
}
