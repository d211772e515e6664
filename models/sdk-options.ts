import { limitedFetch } from "../guards/limited-body.ts";

/** Most of an answer with its stream: far more than a model says, and less than a process can hold. */
export const MOST_ANSWER_BYTES = 64 * 1024 * 1024;

/** Each try has a timeout of ours, which hears a stream and the body of an answer too. */
const SDK_TIMEOUT_MS = 2 ** 31 - 1;

/** What every provider's SDK is told: tries and their time are counted here, answers have an end, and no redirect is followed. */
export const sdkOptions = () => ({
  timeout: SDK_TIMEOUT_MS,
  maxRetries: 0,
  logLevel: "off" as const,
  fetch: limitedFetch(MOST_ANSWER_BYTES),
  fetchOptions: { redirect: "manual" as const },
});
