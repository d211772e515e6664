/** Stands in an event where something was taken out. */
export const REDACTED = "[atlas:redacted]";
