import { createHmac } from "node:crypto";

/**
 * What proves that a request comes from who knows the secret, and when it was made: `v1=` and the HMAC-SHA256, in
 * hex, of the timestamp, a full stop and the body.
 *
 * @param timestamp seconds since the epoch
 */
export const signatureOf = (secret: string, timestamp: number, body: string): string =>
  `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
