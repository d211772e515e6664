import { AtlasError } from "../../errors/atlas-error.ts";
import { isPublicAddress } from "./public-address.ts";

/** Names that lead inside, whatever a resolver says of them. */
const INSIDE = [
  "localhost",
  "local",
  "internal",
  "intranet",
  "lan",
  "home.arpa",
  "localdomain",
  "corp",
  "private",
];

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");

const isAddress = (host: string): boolean => host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host);

const isInside = (host: string): boolean =>
  // A name without a dot is completed by the search list of the machine that asks.
  !host.includes(".") || INSIDE.some((name) => host.endsWith(`.${name}`));

/** What a destination may be. */
export interface AddressPolicy {
  /** Lets the URL be http, and lead to addresses that are not public. */
  allowPrivate: boolean;
}

/** Why an alert is not sent somewhere. The URL itself may be a secret, and is not in it. */
export const refused = (host: string, why: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_ALERT_REFUSED", why, { where: host, hint });

const OPT_OUT = "Set allow_private for this destination if it is meant to be inside your network.";

/** What an address that is not public leads to. */
export const notPublic = (host: string, address: string): AtlasError =>
  refused(host, `${address} is not a public address`, OPT_OUT);

/**
 * Checks what can be told from a URL alone: its scheme, and that its host is neither a name of the inside nor an
 * address that is not public, in whichever notation (the URL parser makes 0x7f.1 and 2130706433 into 127.0.0.1).
 *
 * @throws AtlasError ATLAS_ALERT_REFUSED
 */
export function checkUrl(text: string, { allowPrivate }: AddressPolicy): { url: URL; host: string } {
  if (!URL.canParse(text)) throw refused("url", "it is not a URL", "Use https://host/path.");
  const url = new URL(text);
  const host = hostOf(url);
  const schemes = allowPrivate ? ["https:", "http:"] : ["https:"];
  if (!schemes.includes(url.protocol)) {
    throw refused(host, `its scheme is ${url.protocol}`, `Use https. ${OPT_OUT}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw refused(host, "it has a user or password in it", "Leave them out; requests are signed instead.");
  }
  if (allowPrivate) return { url, host };
  if (isAddress(host) ? !isPublicAddress(host) : isInside(host)) throw notPublic(host, host);
  return { url, host };
}
