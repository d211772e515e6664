import type { EventLog } from "../log/event-log.ts";
import { encodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { idOf } from "../schemas/identity.ts";
import { DERIVED_TOPICS, type Topic } from "../schemas/topics.ts";
import type { Derived } from "./recompute.ts";

/** What one processor made of one session: as the log has it, and as it was computed again. */
export interface Difference {
  topic: Topic;
  sessionId: Uuid;
  /** Effective events of the log; none where the log lacks them. */
  live: AtlasEvent[];
  recomputed: AtlasEvent[];
  /** In words: the first field that differs. */
  what: string;
}

/** Marks the source of a revision; the first computation has none. */
const REVISED = /@[0-9a-f-]{36}@r\d+$/;

const revisionOf = (event: AtlasEvent): number => event.meta.derivation?.revision ?? 0;

/** An event without what merely says in which order and how often it was computed; its cause still names it. */
function content(event: AtlasEvent): AtlasEvent {
  const { derivation, source } = event.meta;
  const meta = {
    ...event.meta,
    event_id: "",
    sequence: 0,
    source: source.replace(REVISED, ""),
    derivation: derivation ? { ...derivation, revision: 0 } : null,
  };
  return { ...event, meta } as AtlasEvent;
}

const bytes = (event: AtlasEvent): string => encodeEvent(content(event)).body.toString("base64");

type BySession = Map<Uuid, AtlasEvent[]>;

function bySession(events: Iterable<AtlasEvent>): BySession {
  const sessions: BySession = new Map();
  for (const event of events) {
    const session = event.meta.session_id ?? "";
    const before = sessions.get(session);
    // Only the highest revision counts; duplicates of the log are dropped.
    if (before === undefined || revisionOf(before[0]!) < revisionOf(event)) sessions.set(session, [event]);
    else if (
      revisionOf(before[0]!) === revisionOf(event) &&
      before.at(-1)!.meta.sequence < event.meta.sequence
    )
      before.push(event);
  }
  return sessions;
}

async function readLive(log: EventLog, topic: Topic): Promise<BySession> {
  const events: AtlasEvent[] = [];
  for await (const batch of log.read([topic])) events.push(...batch.map((record) => record.event));
  return bySession(events);
}

/** The first path at which two values differ, with both values. */
function firstDifference(live: unknown, recomputed: unknown, path: string): string | undefined {
  if (typeof live === "object" && live !== null && typeof recomputed === "object" && recomputed !== null) {
    for (const key of new Set([...Object.keys(live), ...Object.keys(recomputed)])) {
      const inner = firstDifference(
        (live as Record<string, unknown>)[key],
        (recomputed as Record<string, unknown>)[key],
        path === "" ? key : `${path}.${key}`,
      );
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  if (Object.is(live ?? null, recomputed ?? null)) return undefined;
  return `${path} is ${JSON.stringify(live ?? null)} in the log and ${JSON.stringify(recomputed ?? null)} computed again`;
}

function describe(live: readonly AtlasEvent[], recomputed: readonly AtlasEvent[]): string {
  if (live.length !== recomputed.length)
    return `the log has ${live.length} of them, computed again there are ${recomputed.length}`;
  for (const [index, event] of live.entries()) {
    const difference = firstDifference(content(event), content(recomputed[index]!), "");
    if (difference !== undefined) return `${event.type}.${difference}`;
  }
  return "the bytes differ";
}

const same = (live: readonly AtlasEvent[], recomputed: readonly AtlasEvent[]): boolean =>
  live.length === recomputed.length &&
  live.every((event, index) => bytes(event) === bytes(recomputed[index]!));

/** Holds what was computed again against what the log has, session by session, in the order of the flow. */
export async function compareDerived(log: EventLog, derived: Derived): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const topic of DERIVED_TOPICS) {
    const live = await readLive(log, topic);
    const computed = bySession(derived.get(topic) ?? []);
    for (const sessionId of [...new Set([...live.keys(), ...computed.keys()])].sort()) {
      const before = live.get(sessionId) ?? [];
      const after = computed.get(sessionId) ?? [];
      if (!same(before, after))
        differences.push({
          topic,
          sessionId,
          live: before,
          recomputed: after,
          what: describe(before, after),
        });
    }
  }
  return differences;
}

/** What was computed again, as events that replace those of the log. */
export function revisionsOf(differences: readonly Difference[]): AtlasEvent[] {
  return differences.flatMap(({ live, recomputed }) => {
    const revision = 1 + Math.max(0, ...live.map(revisionOf));
    return recomputed.map((event, index) => {
      const { derivation, source } = event.meta;
      const meta = {
        ...event.meta,
        event_id: idOf(event.meta.event_id, revision),
        source: `${source}@${event.meta.session_id}@r${revision}`,
        sequence: index + 1,
        derivation: derivation ? { ...derivation, revision } : null,
      };
      return { ...event, meta } as AtlasEvent;
    });
  });
}
