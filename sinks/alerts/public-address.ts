import ipaddr from "ipaddr.js";

/** Where IPv6 gives out addresses that routers of the Internet know. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/**
 * Says whether an IP address is a public one. What carries another address inside (IPv4-mapped, NAT64, 6to4, Teredo)
 * is not, and neither is what cannot be read.
 *
 * @example
 * isPublicAddress("93.184.215.14"); // true
 * isPublicAddress("::ffff:127.0.0.1"); // false
 */
export function isPublicAddress(text: string): boolean {
  // Longer and shorter forms of IPv4 mean different things to different readers.
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || (address as ipaddr.IPv6).match(...GLOBAL_UNICAST);
}
