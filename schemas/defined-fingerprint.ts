import { createHash } from "node:crypto";
import { fingerprint } from "./fingerprint.ts";

/** Names a version of an event that a user defined: two of another name never have the same, whatever they hold. */
export const definedFingerprint = (type: string, schema: unknown): string =>
  createHash("sha256")
    .update(`${type} ${fingerprint(schema)}`)
    .digest("hex")
    .slice(0, 16);
