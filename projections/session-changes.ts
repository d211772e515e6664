import type { AtlasEvent, ContentContinued, Uuid } from "../schemas/generated/events.ts";
import { foldEvent } from "../traces/fold.ts";
import { type EventRow, eventRow, type StoredTrace } from "./stored-events.ts";

/** What events of a session change in its rows. */
export interface SessionChanges {
  /** The events that were new, and where each stands. */
  readonly taken: { event: AtlasEvent; place: number }[];
  /** Events to write, by id. */
  readonly events: Set<Uuid>;
  /** Places of stored rows to remove: parts that went into the event that they continue, and that event as it was. */
  readonly removed: number[];
  /** Steps to write. */
  readonly steps: Set<number>;
  plan: boolean;
}

const noChanges = (): SessionChanges => ({
  taken: [],
  events: new Set(),
  removed: [],
  steps: new Set(),
  plan: false,
});

/** Everything of a session, as if it were new. */
export function allChanges({ stored, trace }: StoredTrace): SessionChanges {
  return {
    taken: [],
    events: new Set(stored.keys()),
    removed: [],
    steps: new Set(trace.steps.map(({ step_id }) => step_id)),
    plan: true,
  };
}

function touch(changes: SessionChanges, event: AtlasEvent): void {
  if ("step_id" in event && typeof event.step_id === "number") changes.steps.add(event.step_id);
  if (event.type === "PlanProposed" || event.type === "PlanReviewed") changes.plan = true;
}

const findEvent = ({ trace }: StoredTrace, id: Uuid): AtlasEvent | undefined => {
  const same = ({ meta }: AtlasEvent): boolean => meta.event_id === id;
  return trace.events.findLast(same) ?? trace.pending.find(same);
};

/** Notes which parts went into the events that they continue. */
function noteJoins(state: StoredTrace, before: readonly ContentContinued[], changes: SessionChanges): void {
  for (const part of before) {
    if (state.trace.pending.includes(part)) continue;
    const id = part.meta.event_id;
    const { place, length } = state.stored.get(id)!;
    if (!changes.events.delete(id)) changes.removed.push(place);
    state.stored.delete(id);
    state.size -= length;
    if (!changes.events.has(part.continues)) changes.removed.push(state.stored.get(part.continues)!.place);
    changes.events.add(part.continues);
    touch(changes, findEvent(state, part.continues)!);
  }
}

/** Folds events into a session, and says what that changes. Events that it has already change nothing. */
export function applyEvents(state: StoredTrace, events: readonly AtlasEvent[]): SessionChanges {
  const { trace, stored } = state;
  const changes = noChanges();
  for (const event of events) {
    const place = trace.event_count + 1;
    const before = [...trace.pending];
    foldEvent(trace, event);
    if (trace.event_count < place) continue;
    stored.set(event.meta.event_id, { place, length: 0 });
    changes.taken.push({ event, place });
    changes.events.add(event.meta.event_id);
    touch(changes, event);
    if (event.type === "ContentContinued") before.push(event);
    if (before.length > 0) noteJoins(state, before, changes);
  }
  // A session without a plan has its steps for one.
  if (trace.plan === null && changes.steps.size > 0) changes.plan = true;
  return changes;
}

/** The rows of the events that changed; brings the session's size up to date. */
export function changedEventRows(state: StoredTrace, session: number, changes: SessionChanges): EventRow[] {
  const { trace, stored } = state;
  const changed = new Map<Uuid, AtlasEvent>();
  // What changed is at the end for the most part: a trace is not searched for each of its events.
  for (let at = trace.events.length - 1; at >= 0 && changed.size < changes.events.size; at -= 1) {
    const event = trace.events[at];
    if (event !== undefined && changes.events.has(event.meta.event_id))
      changed.set(event.meta.event_id, event);
  }
  for (const event of trace.pending) changed.set(event.meta.event_id, event);
  return [...changes.events].map((id) => {
    const known = stored.get(id)!;
    const joined = trace.continued.get(id) ?? 0;
    const { row, length } = eventRow(changed.get(id)!, session, known.place, joined);
    state.size += length - known.length;
    known.length = length;
    return row;
  });
}
