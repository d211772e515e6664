import type { AtlasEvent, DriftAssessed, SessionRewarded } from "../../schemas/generated/events.ts";
import { isoOf } from "../../schemas/identity.ts";
import { keyOf } from "../../schemas/topics.ts";
import type { Interest } from "./destination.ts";

interface Common {
  /** The event's id and the destination's name: the same however often it is delivered. */
  idempotency_key: string;
  destination: string;
  event_id: string;
  session_id: string | null;
  /** Null for an event of a user's own, which need not have one. */
  learning_key: string | null;
  occurred_at: string;
}

/** A session whose drift assessment raised an alert. */
export interface DriftAlert extends Common {
  kind: "drift";
  drift: {
    direction: string | null;
    /** The metric that raised it. */
    metric: string | null;
    message: string | null;
    /** The reward that was assessed. */
    score: number | null;
    /** Sessions of the baseline. */
    window: number;
    threshold: number;
  };
}

/** A session whose reward passed a threshold. */
export interface RewardAlert extends Common {
  kind: "reward";
  reward: { score: number; crossed: "below" | "above"; threshold: number; status: string; agent: string };
}

/** An event of a user's own that somebody is to be told about. */
export interface EventAlert extends Common {
  kind: "event";
  event: { type: string; key: string; fields: Record<string, unknown> };
}

/** What one destination is told about one event. */
export type Alert = DriftAlert | RewardAlert | EventAlert;

const common = (event: AtlasEvent, { name }: Interest): Common => ({
  idempotency_key: `${event.meta.event_id}:${name}`,
  destination: name,
  event_id: event.meta.event_id,
  session_id: event.meta.session_id ?? null,
  learning_key: "learning_key" in event ? event.learning_key : null,
  occurred_at: isoOf(event.meta.occurred_at),
});

function driftAlert(event: DriftAssessed, destination: Interest): DriftAlert | undefined {
  const { on, directions } = destination;
  const { alert, direction = null } = event;
  // An alert of neither direction is one that nobody asked to be spared.
  const wanted = direction === null || (directions as readonly string[]).includes(direction);
  if (!alert || !on.includes("drift") || !wanted) return undefined;
  const { reason = null, message = null, score = null, window, threshold } = event;
  const drift = { direction, metric: reason, message, score, window, threshold };
  return { kind: "drift", ...common(event, destination), drift };
}

function rewardAlert(event: SessionRewarded, destination: Interest): RewardAlert | undefined {
  const { on, rewardBelow, rewardAbove } = destination;
  if (!on.includes("reward")) return undefined;
  const { score, status, agent } = event;
  const alertFor = (crossed: "below" | "above", threshold: number): RewardAlert => ({
    kind: "reward",
    ...common(event, destination),
    reward: { score, crossed, threshold, status, agent },
  });
  if (rewardBelow !== undefined && score < rewardBelow) return alertFor("below", rewardBelow);
  if (rewardAbove !== undefined && score > rewardAbove) return alertFor("above", rewardAbove);
  return undefined;
}

function eventAlert(event: AtlasEvent, destination: Interest): EventAlert {
  const { type, meta: _, ...fields } = event;
  return { kind: "event", ...common(event, destination), event: { type, key: keyOf(event), fields } };
}

/** What a destination is to be told about an event, if anything. */
export function alertOf(event: AtlasEvent, destination: Interest): Alert | undefined {
  if (destination.events?.includes(event.type)) return eventAlert(event, destination);
  if (event.type !== "DriftAssessed" && event.type !== "SessionRewarded") return undefined;
  const { learningKeys } = destination;
  if (learningKeys !== undefined && !learningKeys.includes(event.learning_key)) return undefined;
  return event.type === "DriftAssessed" ? driftAlert(event, destination) : rewardAlert(event, destination);
}
