import type { Apply } from "../../log/event-log.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";
import type { Topic } from "../../schemas/topics.ts";
import { forget, keepWaiting, noteEnd, waitingOf } from "./judging-queue.ts";

/** The group that keeps which sessions wait for their judges. */
export const JUDGING = "judging";

/** What it reads: decisions for the sessions that are erased. */
export const JUDGING_TOPICS = ["atlas.sessions", "atlas.decisions"] as const satisfies readonly Topic[];

const CLOSING = ["SessionEnded", "SessionAbandoned", "SessionJudged", "SessionErased"];

const waits = (event: AtlasEvent): boolean => event.type === "SessionStarted" && event.judging === "deferred";

/**
 * Keeps, in the unit that reads it, that a session wants judging later, and when it is due: once it has ended, unless
 * it was cancelled. A session that was judged, abandoned before its end, or erased is forgotten.
 *
 * @example
 * await log.consume({ group: JUDGING, topics: JUDGING_TOPICS }, judgingConsumer);
 */
export const judgingConsumer: Apply = async (batch, { tx }) => {
  const closing = batch.flatMap(({ event }) =>
    CLOSING.includes(event.type) ? (event.meta.session_id ?? []) : [],
  );
  const waiting = await waitingOf(tx, [...new Set<Uuid>(closing)]);
  for (const { event } of batch) {
    const id = event.meta.session_id ?? undefined;
    if (id === undefined) continue;
    if (event.type === "SessionStarted" && waits(event)) {
      await keepWaiting(tx, id, event.learning_key);
      waiting.add(id);
    }
    if (!waiting.has(id)) continue;
    if (event.type === "SessionEnded" && event.status !== "cancelled") await noteEnd(tx, id);
    else if (event.type === "SessionAbandoned") await forget(tx, id, { unlessEnded: true });
    else if (["SessionEnded", "SessionJudged", "SessionErased"].includes(event.type)) await forget(tx, id);
  }
};

/**
 * Applies a record that was set aside. What was read since did not count for a session whose start was missing: it is
 * taken for due, and whoever claims it sees whether it has ended.
 */
export const retriedJudgingConsumer: Apply = async (batch, unit) => {
  await judgingConsumer(batch, unit);
  for (const { event } of batch) if (waits(event)) await noteEnd(unit.tx, event.meta.session_id!);
};
