import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { AtlasError } from "../errors/atlas-error.ts";

/** Who may ask a worker. */
export interface WorkerAccess {
  /** What requests have to carry; without one, only those from this machine are answered in full. */
  token: string | undefined;
  /** Whether the worker listens on this machine only. */
  loopback: boolean;
}

const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

const unauthorized = (message: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_REQUEST_UNAUTHORIZED", message, { hint });

/**
 * Lets a request pass: one with the token, or, where there is none, one to this machine by a name of it. Pages in a browser
 * on this machine can send requests too, so another Host is refused.
 *
 * @throws AtlasError ATLAS_REQUEST_UNAUTHORIZED
 */
export function authorize({ headers }: IncomingMessage, { token, loopback }: WorkerAccess): void {
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
