import type { AtlasEvent, ContentContinued, Uuid } from "../schemas/generated/events.ts";
import { topicOf } from "../schemas/topics.ts";
import { cleanText } from "./clean-text.ts";
import { joinField } from "./join-field.ts";
import { addRange, gapsOf } from "./sequence-ranges.ts";
import { applyFact, emptyFacts } from "./session-facts.ts";
import type { SessionTrace } from "./session-trace.ts";
import { applySessionEvent, emptyView } from "./session-view.ts";

/**
 * The trace of a session of which nothing is known yet.
 *
 * @example
 * const trace = emptyTrace(sessionId);
 */
export function emptyTrace(sessionId: Uuid): SessionTrace {
  return {
    session_id: sessionId,
    ...emptyView(),
    ...emptyFacts(),
    incomplete: false,
    incomplete_reasons: [],
    events: [],
    event_count: 0,
    sequences: [],
    continued: new Map(),
    pending: [],
  };
}

/**
 * Takes one event into a trace; it changes the trace that it is given, and returns it. Repeated events change
 * nothing. Events of `atlas.sessions` come in the order of the log, or any other as far as they are of the session's
 * own source; what other topics say may come at any time, before the session's start too. Events of other sessions,
 * and those that are about no session, are ignored.
 *
 * @example
 * for (const { event } of batch) foldEvent(trace, event);
 */
export function foldEvent(trace: SessionTrace, event: AtlasEvent): SessionTrace {
  return foldStored(trace, event, 0);
}

/**
 * Like {@link foldEvent}, for an event that was joined before it was stored.
 *
 * @param joined how many continuing events are part of it
 */
export function foldStored(trace: SessionTrace, event: AtlasEvent, joined: number): SessionTrace {
  if (event.meta.session_id !== trace.session_id) return trace;
  if (topicOf(event.type) !== "atlas.sessions") applyFact(trace, cleanText(event));
  else if (!takeIn(trace, event, joined, AT_ONCE)) return trace;
  return noteWhatIsMissing(trace);
}

/** When the events of a trace are applied to its view, and how it is known which of other sources are in it. */
interface Pace {
  next(trace: SessionTrace, event: AtlasEvent): void;
  again(trace: SessionTrace): void;
  /** Ids of what was taken in of other sources; without it, the trace is searched. */
  ids?: Set<Uuid>;
}

const AT_ONCE: Pace = {
  next: (trace, event) => applySessionEvent(trace, cleanText(event)),
  again(trace) {
    Object.assign(trace, emptyView());
    for (const event of trace.events) applySessionEvent(trace, cleanText(event));
  },
};

/** For many events at a time: what has to be applied again is applied once, at the end. */
class InTheEnd implements Pace {
  readonly ids = new Set<Uuid>();
  #late = false;

  next(trace: SessionTrace, event: AtlasEvent): void {
    if (!this.#late) AT_ONCE.next(trace, event);
  }

  again(): void {
    this.#late = true;
  }

  finish(trace: SessionTrace): SessionTrace {
    if (this.#late) AT_ONCE.again(trace);
    return noteWhatIsMissing(trace);
  }
}

/**
 * The trace with what other topics say of the session, in place of what it had of that; the given one stays.
 *
 * @example
 * const whole = withFacts(trace, [rewarded, assessed]);
 */
export function withFacts(trace: SessionTrace, facts: readonly AtlasEvent[]): SessionTrace {
  const copy = { ...trace, ...emptyFacts() };
  for (const fact of facts) applyFact(copy, cleanText(fact));
  return noteWhatIsMissing(copy);
}

/**
 * The trace of a session from all its events. Takes a time that grows with their number, where they are in order.
 *
 * @throws TypeError when there is no event, or the first one is about no session
 * @example
 * const trace = foldSession(events);
 */
export function foldSession(events: Iterable<AtlasEvent>): SessionTrace {
  let trace: SessionTrace | undefined;
  const pace = new InTheEnd();
  for (const event of events) {
    const session = event.meta.session_id ?? undefined;
    if (trace === undefined && session !== undefined) trace = emptyTrace(session);
    if (trace === undefined || session !== trace.session_id) continue;
    if (topicOf(event.type) !== "atlas.sessions") applyFact(trace, cleanText(event));
    else takeIn(trace, event, 0, pace);
  }
  if (trace === undefined) throw new TypeError("no event of a session was given");
  return pace.finish(trace);
}

/** Says whether the event was new. */
function takeIn(trace: SessionTrace, event: AtlasEvent, joined: number, pace: Pace): boolean {
  const { source, sequence, event_id } = event.meta;
  if (source === trace.session_id) {
    if (!addRange(trace.sequences, sequence, sequence + joined)) return false;
  } else if (isKnown(trace, event, pace.ids)) {
    return false;
  }
  pace.ids?.add(event_id);
  trace.event_count += 1 + joined;
  if (joined > 0) trace.continued.set(event_id, joined);
  if (event.type === "ContentContinued") {
    trace.pending.push(event);
    joinWith(trace, event, pace);
    return true;
  }
  const place = placeOf(trace, event);
  if (place === trace.events.length) {
    trace.events.push(event);
    pace.next(trace, event);
  } else {
    trace.events.splice(place, 0, event);
    pace.again(trace);
  }
  for (const part of trace.pending.filter(({ continues }) => continues === event_id))
    joinWith(trace, part, pace);
  return true;
}

/** Events of other sources carry no sequence of the session's; there are few. */
function isKnown(trace: SessionTrace, { meta }: AtlasEvent, ids?: ReadonlySet<Uuid>): boolean {
  const same = (other: AtlasEvent): boolean => other.meta.event_id === meta.event_id;
  const isIn = (): boolean =>
    trace.events.some((other) => other.meta.source !== trace.session_id && same(other)) ||
    trace.pending.some(same);
  if (ids === undefined ? isIn() : ids.has(meta.event_id)) return true;
  if (trace.continued.size === 0) return false;
  return trace.events.some(
    (other) =>
      other.meta.source === meta.source &&
      meta.sequence > other.meta.sequence &&
      meta.sequence <= other.meta.sequence + (trace.continued.get(other.meta.event_id) ?? 0),
  );
}

/** Own events stand in the order of their sequence; those of other sources where the log has them. */
function placeOf(trace: SessionTrace, { meta }: AtlasEvent): number {
  const end = trace.events.length;
  if (meta.source !== trace.session_id || meta.sequence > lastSequence(trace)) return end;
  const next = trace.events.findIndex(
    (other) => other.meta.source === trace.session_id && other.meta.sequence > meta.sequence,
  );
  return next === -1 ? end : next;
}

function lastSequence(trace: SessionTrace): number {
  const last = trace.events.findLast(({ meta }) => meta.source === trace.session_id);
  return last?.meta.sequence ?? 0;
}

function joinWith(trace: SessionTrace, { continues, field }: ContentContinued, pace: Pace): void {
  const index = trace.events.findLastIndex(({ meta }) => meta.event_id === continues);
  const event = trace.events[index];
  if (event === undefined) return;
  const before = trace.continued.get(continues) ?? 0;
  const whole = joinField(event, field, trace.pending, before);
  if (whole === undefined) return;
  trace.events[index] = whole.event;
  trace.continued.set(continues, before + whole.used.length);
  trace.pending = trace.pending.filter((part) => !whole.used.includes(part));
  pace.again(trace);
  // What follows these parts may have been waiting for them.
  const next = trace.pending.find((part) => part.continues === continues);
  if (next !== undefined) joinWith(trace, next, pace);
}

function noteWhatIsMissing(trace: SessionTrace): SessionTrace {
  trace.incomplete_reasons = whatIsMissing(trace);
  trace.incomplete = trace.incomplete_reasons.length > 0;
  return trace;
}

function whatIsMissing(trace: SessionTrace): string[] {
  const reasons: string[] = [];
  for (const [first, last] of gapsOf(trace.sequences)) {
    reasons.push(first === last ? `event ${first} is missing` : `events ${first} to ${last} are missing`);
  }
  const fields = new Set(trace.pending.map(({ continues, field }) => `${field} of event ${continues}`));
  for (const field of fields) reasons.push(`${field} is not whole`);
  for (const { group, topic, partition, offset, error_code } of trace.dead_letters) {
    reasons.push(`${group} could not apply ${topic}[${partition}]@${offset}: ${error_code}`);
  }
  return reasons;
}
