import { type Check, eachRecord } from "./check.ts";

/** Names the kinds of secrets and personal data that a text holds. */
export type FindSecrets = (text: string) => readonly string[];

/** Declarations of tools say what a password is called, and hold none. */
const withoutTools = (key: string, value: unknown): unknown => (key === "tools" ? undefined : value);

/** Nothing in a record looks like a secret, or like personal data: what is learned is said again. */
export const secrets = (find: FindSecrets): Check =>
  eachRecord(({ raw }) => {
    const kinds = find(JSON.stringify(raw, withoutTools));
    return kinds.length === 0 ? undefined : `holds ${kinds.join(", ")}`;
  });
