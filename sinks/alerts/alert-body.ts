import type { Alert } from "./alert.ts";
import { alertWords } from "./alert-words.ts";
import type { Interest } from "./destination.ts";
import { slackBody } from "./slack-body.ts";

/** Raised when a receiver has to read a body in another way. */
const VERSION = 1;

/** The bytes that a destination gets for an alert: fixed when the alert is kept, whatever is sent how often. */
export const bodyOf = (alert: Alert, { type }: Pick<Interest, "type">): string =>
  type === "slack"
    ? slackBody(alert)
    : JSON.stringify({ version: VERSION, text: alertWords(alert), ...alert });
