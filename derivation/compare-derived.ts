import { revisionOf } from "../processors/fact-fields.ts";
import { encodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent, DriftAssessed, ReviewStatusChanged, Uuid } from "../schemas/generated/events.ts";
import { idOf } from "../schemas/identity.ts";
import { DERIVED_TOPICS, type Topic } from "../schemas/topics.ts";
import { emptyTrace, foldEvent } from "../traces/fold.ts";
import type { Derived } from "./recompute.ts";
import { sourceOfRevision, withoutRevision } from "./revision-source.ts";

/** What one processor made of one session: as the log has it, and as it was computed again. */
export interface Difference {
  topic: Topic;
  sessionId: Uuid;
  /** Effective events of the log; none where the log lacks them. */
  live: AtlasEvent[];
  recomputed: AtlasEvent[];
  /** In words: the first field that differs. */
  what: string;
  /** Why it had to differ, where it is no fault: in which order facts arrived, or a promotion since. */
  explained?: string;
  /** Nothing has to be published: what stands is the same, or follows from another difference of the session. */
  settled?: true;
}

/** Finds the event that a revision is of. */
type Originals = ReadonlyMap<Uuid, Uuid>;

/**
 * An event without what merely says in which order, how often and by which version of the logic it was computed; its
 * cause still names it.
 */
function content(event: AtlasEvent, originals: Originals): AtlasEvent {
  const { derivation, source, causation_id } = event.meta;
  const meta = {
    ...event.meta,
    event_id: "",
    sequence: 0,
    source: withoutRevision(source),
    causation_id: originals.get(causation_id ?? "") ?? causation_id ?? null,
    derivation: derivation ? { ...derivation, revision: 0, version: 0 } : null,
  };
  if (!isReview(event)) return { ...event, meta } as AtlasEvent;
  return { ...event, overrode: originals.get(event.overrode ?? "") ?? event.overrode ?? null, meta };
}

const bytes = (event: AtlasEvent, originals: Originals): string =>
  encodeEvent(content(event, originals)).body.toString("base64");

type BySession = Map<Uuid, AtlasEvent[]>;

const isReview = (event: AtlasEvent): event is ReviewStatusChanged => event.type === "ReviewStatusChanged";

/** Sorts events by session; only the highest revision counts. */
function bySession(events: Iterable<AtlasEvent>, isLive: boolean): BySession {
  const sessions: BySession = new Map();
  for (const event of events) {
    const session = event.meta.session_id ?? "";
    const before = sessions.get(session);
    if (before === undefined) sessions.set(session, [event]);
    // On the live topics the processor goes on after a revision; what stands is decided among all changes.
    else if (isLive && isReview(event)) {
      if (before.every(({ meta }) => meta.event_id !== event.meta.event_id)) before.push(event);
    } else if (revisionOf(before[0]!) < revisionOf(event)) sessions.set(session, [event]);
    else if (
      revisionOf(before[0]!) === revisionOf(event) &&
      before.at(-1)!.meta.sequence < event.meta.sequence
    )
      before.push(event);
  }
  return sessions;
}

/** The events of a session that count. */
export const standingIn = (derived: Derived): Derived =>
  new Map([...derived].map(([topic, events]) => [topic, [...bySession(events, true).values()].flat()]));

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

function describe(
  live: readonly AtlasEvent[],
  recomputed: readonly AtlasEvent[],
  originals: Originals,
): string {
  if (live.length !== recomputed.length)
    return `the log has ${live.length} of them, computed again there are ${recomputed.length}`;
  for (const [index, event] of live.entries()) {
    const difference = firstDifference(content(event, originals), content(recomputed[index]!, originals), "");
    if (difference !== undefined) return `${event.type}.${difference}`;
  }
  return "the bytes differ";
}

const same = (
  live: readonly AtlasEvent[],
  recomputed: readonly AtlasEvent[],
  originals: Originals,
): boolean =>
  live.length === recomputed.length &&
  live.every((event, index) => bytes(event, originals) === bytes(recomputed[index]!, originals));

/** What stands of a session's review, and who or what said so. */
function standing(sessionId: Uuid, changes: readonly AtlasEvent[], originals: Originals): string {
  const trace = emptyTrace(sessionId);
  for (const event of changes) {
    foldEvent(trace, event);
  }
  const last = trace.review_changes.at(-1);
  if (last === undefined || (last.because === "rule" && last.to_status === "pending")) return "pending";
  const cause = last.meta.causation_id ?? "";
  return [last.to_status, last.because, last.author, last.note, originals.get(cause) ?? cause].join("\n");
}

const versionOf = (event: AtlasEvent | undefined): number => event?.meta.derivation?.version ?? 0;

/** Ids that revisions of these events have, up to the highest revision of the log, and that earlier versions gave them. */
function originalsOf(computed: Derived, live: Derived): Originals {
  let highest = 0;
  for (const events of live.values())
    for (const event of events) highest = Math.max(highest, revisionOf(event));
  const originals = new Map<Uuid, Uuid>();
  for (const { meta } of [...computed.values()].flat()) {
    for (let revision = 1; revision <= highest; revision += 1)
      originals.set(idOf(meta.event_id, revision), meta.event_id);
  }
  // An id is made of the version and of the cause: what follows from an event of an earlier version has another one, too.
  const renamed = new Set<Uuid | null | undefined>();
  for (const topic of ["atlas.rewards", "atlas.drift"] as const) {
    const standing = new Map((live.get(topic) ?? []).map((event) => [event.meta.session_id, event]));
    for (const event of computed.get(topic) ?? []) {
      const { event_id, session_id } = event.meta;
      const earlier = standing.get(session_id);
      if (earlier === undefined) continue;
      if (versionOf(earlier) < versionOf(event)) renamed.add(session_id);
      if (renamed.has(session_id)) originals.set(earlier.meta.event_id, event_id);
    }
  }
  return originals;
}

/**
 * The sessions for which two derivations come to something else, in the order in which the second was computed.
 *
 * @param isLive whether processors go on from the first, which then need no telling what follows from an assessment
 */
export function differencesOf(before: Derived, after: Derived, isLive = true): Difference[] {
  const originals = originalsOf(after, before);
  const differences: Difference[] = [];
  const moved = new Set<Uuid>();
  for (const topic of DERIVED_TOPICS) {
    const live = bySession(before.get(topic) ?? [], isLive);
    const computed = bySession(after.get(topic) ?? [], isLive);
    for (const sessionId of new Set([...computed.keys(), ...[...live.keys()].sort()])) {
      const difference = {
        topic,
        sessionId,
        live: live.get(sessionId) ?? [],
        recomputed: computed.get(sessionId) ?? [],
      };
      if (same(difference.live, difference.recomputed, originals)) continue;
      const what = describe(difference.live, difference.recomputed, originals);
      if (!isLive || topic !== "atlas.review-status") {
        differences.push({ ...difference, what });
        if (topic === "atlas.drift") moved.add(sessionId);
      } else if (moved.has(sessionId)) {
        // The processor follows a revised assessment by itself.
        differences.push({ ...difference, what, settled: true });
      } else if (
        standing(sessionId, difference.live, originals) !==
        standing(sessionId, difference.recomputed, originals)
      ) {
        differences.push({ ...difference, what });
      } else if (difference.live.every((event) => revisionOf(event) === 0)) {
        const by =
          "the same stands; words came in another order than they were given in, or on what was revised since";
        differences.push({ ...difference, what, explained: by, settled: true });
      }
    }
  }
  return differences;
}

const rulesOf = ([event]: readonly AtlasEvent[]): string | undefined => event?.meta.derivation?.rules_hash;

/** Whether the log and what was computed again go by other rules: others were promoted since. */
export const isByPromotion = ({ live, recomputed }: Pick<Difference, "live" | "recomputed">): boolean =>
  live.length > 0 && recomputed.length > 0 && rulesOf(live) !== rulesOf(recomputed);

/** What was assessed is the same: only what it was held against differs. */
export function sameSession([live]: readonly AtlasEvent[], [recomputed]: readonly AtlasEvent[]): boolean {
  if (live?.type !== "DriftAssessed" || recomputed?.type !== "DriftAssessed") return false;
  const values = ({ metrics }: DriftAssessed): string =>
    JSON.stringify(metrics.map(({ metric, value }) => [metric, value]));
  return live.score === recomputed.score && values(live) === values(recomputed);
}

/** That an earlier version computed it, where it did. */
export function byEarlierVersion({ live, recomputed: [one] }: Difference): string | undefined {
  const [version, now] = [versionOf(live.at(-1)), versionOf(one)];
  if (one === undefined || live.length === 0 || version >= now) return undefined;
  return `version ${version} of ${one.meta.derivation!.processor} computed it, and this is version ${now}`;
}

/** What was computed again, as events that replace those of the log. */
export function revisionsOf(differences: readonly Difference[]): AtlasEvent[] {
  return differences.flatMap(({ live, recomputed, settled }) => {
    if (settled === true) return [];
    const revision = 1 + live.reduce((highest, event) => Math.max(highest, revisionOf(event)), 0);
    return recomputed.map((event, index) => {
      const { derivation } = event.meta;
      const meta = {
        ...event.meta,
        event_id: idOf(event.meta.event_id, revision),
        source: sourceOfRevision(event.meta, revision),
        sequence: index + 1,
        derivation: derivation ? { ...derivation, revision } : null,
      };
      return { ...event, meta } as AtlasEvent;
    });
  });
}
