import type { Apply } from "../../log/event-log.ts";
import type { Starts } from "../../log/runner/group-starts.ts";
import type { Topic } from "../../schemas/topics.ts";
import { alertOf } from "./alert.ts";
import { bodyOf } from "./alert-body.ts";
import { dropDeliveries, keepDeliveries, type Outgoing } from "./delivery-store.ts";
import type { Interest } from "./destination.ts";
import { silenceOf } from "./news.ts";

/** The group that keeps what people have to be told. */
export const ALERTS = "alerts";

/** What it reads: decisions for the sessions that are erased. */
export const ALERT_TOPICS = [
  "atlas.rewards",
  "atlas.drift",
  "atlas.decisions",
] as const satisfies readonly Topic[];

/**
 * Keeps an alert for each destination that is to be told about a record, in the unit that reads it; couriers deliver
 * them. What is kept of a session goes when that is erased.
 *
 * @example
 * const starts = await startsOf(log, ALERTS, ALERT_TOPICS);
 * await log.consume({ group: ALERTS, topics: ALERT_TOPICS }, alertConsumer(destinations, starts));
 */
export function alertConsumer(destinations: readonly Interest[], starts: Starts): Apply {
  return async (batch, { tx }) => {
    const outgoing: Outgoing[] = [];
    for (const record of batch) {
      for (const destination of destinations) {
        const alert = alertOf(record.event, destination);
        if (alert === undefined || silenceOf(record, starts, destination.maxAgeHours) !== undefined) continue;
        outgoing.push({ alert, body: bodyOf(alert, destination) });
      }
    }
    await keepDeliveries(tx, outgoing);
    const erased = batch.flatMap(({ event }) =>
      event.type === "SessionErased" ? (event.meta.session_id ?? []) : [],
    );
    await dropDeliveries(tx, erased);
  };
}
