import { AtlasError } from "../../errors/atlas-error.ts";
import type { Apply } from "../../log/event-log.ts";
import type { Starts } from "../../log/runner/group-starts.ts";
import { descriptionOf } from "../../schemas/event-definitions.ts";
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
 * The topics that these destinations are to be told about.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID for an event that nobody has defined
 */
export function alertTopics(destinations: readonly Interest[]): Topic[] {
  const own = destinations.flatMap(({ name, events = [] }) =>
    events.map((type) => {
      const described = descriptionOf(type);
      if (described !== undefined) return described.topic;
      throw new AtlasError("ATLAS_CONFIG_INVALID", `no processor here defines the event ${type}`, {
        where: `alerts, ${name}`,
        hint: "List the processor that emits it under `processors`, and write the type as there.",
      });
    }),
  );
  return [...new Set<Topic>([...ALERT_TOPICS, ...own])];
}

/**
 * Keeps an alert for each destination that is to be told about a record, in the unit that reads it; couriers deliver
 * them. What is kept of a session goes when that is erased.
 *
 * @example
 * const topics = alertTopics(destinations);
 * const starts = await startsOf(log, ALERTS, topics);
 * await log.consume({ group: ALERTS, topics }, alertConsumer(destinations, starts));
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
