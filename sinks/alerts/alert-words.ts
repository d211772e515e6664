import type { Alert } from "./alert.ts";

const rounded = (value: number): string => String(Number(value.toPrecision(3)));

/** What an alert says, in a sentence. Parts of it may be words of a model or a user. */
export function alertWords(alert: Alert): string {
  if (alert.kind === "event") {
    const { type, key, fields } = alert.event;
    return `${key}: ${type} ${JSON.stringify(fields)}`;
  }
  const { learning_key } = alert;
  if (alert.kind === "reward") {
    const { score, crossed, threshold } = alert.reward;
    return `${learning_key}: a reward of ${rounded(score)} is ${crossed} ${rounded(threshold)}`;
  }
  const { direction, metric, message } = alert.drift;
  return `${learning_key}: ${direction ?? "drift"} in ${metric ?? "an unnamed metric"}${message === null ? "" : `: ${message}`}`;
}
