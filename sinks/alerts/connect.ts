import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type AddressPolicy, notPublic, refused } from "./check-url.ts";
import { isPublicAddress } from "./public-address.ts";

/** Finds the addresses of a name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Asks the system, hosts file included. */
export const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * The addresses of a host. One that is not public refuses them all: who answers both wants one to be tried.
 *
 * @throws AtlasError ATLAS_ALERT_REFUSED, and what the resolver throws
 */
export async function addressesOf(
  host: string,
  { allowPrivate }: AddressPolicy,
  resolve: Resolve,
): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  const inside = addresses.find((address) => !isPublicAddress(address));
  if (inside !== undefined && !allowPrivate) throw notPublic(host, inside);
  if (addresses.length === 0) throw refused(host, "it has no address", "Check the host's name.");
  return addresses;
}

/**
 * Connects to an address, never to a name, and looks at whom it got before a byte is sent.
 *
 * @throws AtlasError ATLAS_ALERT_REFUSED, and what the socket throws
 */
export async function connectToAddress(
  address: string,
  port: number,
  { allowPrivate }: AddressPolicy,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  if (!allowPrivate && !isPublicAddress(address)) throw notPublic(address, address);
  const socket = connectSocket({ host: address, port, autoSelectFamily: false });
  // What goes wrong after the answer is nobody's concern any more, and must not end the process.
  socket.on("error", () => undefined);
  try {
    await once(socket, "connect", { signal });
    const peer = socket.remoteAddress ?? "";
    if (!allowPrivate && !isPublicAddress(peer)) throw notPublic(address, peer);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Makes a connection secure; the certificate has to be the host's. */
export async function secured(socket: Socket, host: string, signal: AbortSignal): Promise<Socket> {
  const tls = connectTls({ socket, host, ...(isIP(host) === 0 && { servername: host }) });
  tls.on("error", () => undefined);
  try {
    await once(tls, "secureConnect", { signal });
    return tls;
  } catch (error) {
    tls.destroy();
    throw error;
  }
}

/** Tries the addresses one after the other. */
export async function connectToOneOf(
  addresses: readonly string[],
  port: number,
  policy: AddressPolicy,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await connectToAddress(address, port, policy, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      failure ??= error;
    }
  }
  throw failure;
}
