import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { retryAfterMs } from "../../errors/retry-after.ts";
import { type AddressPolicy, checkUrl } from "./check-url.ts";
import { addressesOf, connectToOneOf, type Resolve, resolveBySystem, secured } from "./connect.ts";

/** What is posted. */
export interface Post extends AddressPolicy {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  timeoutMs: number;
  signal?: AbortSignal;
  resolve?: Resolve;
}

/** What came back. The body of the answer is not read. */
export interface Answer {
  status: number;
  /** Milliseconds that the receiver asks to wait. */
  retryAfterMs: number | undefined;
}

/**
 * Posts a body, through four checks of where it goes: the URL, the addresses of its host, the address that the
 * connection got, and redirects, which are answers like any other and followed nowhere. Names are resolved once, and
 * the connection is to an address that was checked, so that an answer that changes cannot lead elsewhere. Proxies of
 * the environment are not used.
 *
 * @throws AtlasError ATLAS_ALERT_REFUSED, and what resolving, connecting and waiting throw
 */
export async function post(options: Post): Promise<Answer> {
  const { headers, body, timeoutMs, resolve = resolveBySystem } = options;
  const { url, host } = checkUrl(options.url, options);
  const signal = AbortSignal.any([
    AbortSignal.timeout(timeoutMs),
    ...(options.signal === undefined ? [] : [options.signal]),
  ]);
  const addresses = await inTime(addressesOf(host, options, resolve), signal);
  const secure = url.protocol === "https:";
  const port = Number(url.port || (secure ? 443 : 80));
  const plain = await connectToOneOf(addresses, port, options, signal);
  try {
    const socket = secure ? await secured(plain, host, signal) : plain;
    const sent = request({
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, connection: "close", "content-length": Buffer.byteLength(body) },
      createConnection: () => socket,
      signal,
    });
    sent.on("error", () => undefined);
    const answered = once(sent, "response", { signal }) as Promise<[IncomingMessage]>;
    sent.end(body);
    const [{ statusCode = 0, headers: received }] = await answered;
    return { status: statusCode, retryAfterMs: retryAfterMs((name) => received[name]?.toString()) };
  } finally {
    plain.destroy();
  }
}

/** Resolving a name cannot be cancelled, only waited for no longer. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
}
