import type { AtlasEvent, SessionRewarded, Uuid } from "../../schemas/generated/events.ts";
import type { ReviewStatus } from "../../schemas/vocabulary.ts";
import { emptyTrace, foldEvent } from "../../traces/fold.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { Derived } from "../recompute.ts";

/** What is said of a session under some rules. */
export interface Outcome {
  /** Null without a reward. */
  score: number | null;
  alert: boolean;
  reason: string | null;
  review: ReviewStatus;
}

/** What another rubric changes about a session. */
export interface SessionChange {
  sessionId: Uuid;
  simulated: boolean;
  learningKey: string;
  before: Outcome;
  after: Outcome;
}

/** How many sessions go which way. */
export interface RescoreCounts {
  sessions: number;
  /** How many of them are simulated. */
  simulated: number;
  /** Their score differs. */
  moved: number;
  /** They had a reward, and have none. */
  lost: number;
  /** They had none, and have one. */
  gained: number;
  /** Their score comes to the threshold, or falls below it. */
  crossing: { up: number; down: number };
  alerts: { before: number; after: number; raised: number; cleared: number };
  /** Changes of the review status that would follow, as `pending → approved`. */
  review: Record<string, number>;
}

/** What a rubric would change. */
export interface RescoreReport {
  threshold: number;
  counts: RescoreCounts;
  mean: { before: number | null; after: number | null };
  /** Scores of all sessions, for a plot. */
  scores: { before: number[]; after: number[] };
  /** Sessions about which anything differs; the greatest moves first. */
  changes: SessionChange[];
}

function tracesOf(derived: Derived): Map<Uuid, SessionTrace> {
  const traces = new Map<Uuid, SessionTrace>();
  for (const events of derived.values()) {
    for (const event of events) {
      const session = event.meta.session_id ?? "";
      const trace = traces.get(session) ?? emptyTrace(session);
      traces.set(session, foldEvent(trace, live(event)));
    }
  }
  return traces;
}

/** Facts of a branch are no facts of a session unless they are taken for live ones. */
const live = (event: AtlasEvent): AtlasEvent => {
  const derivation = { ...event.meta.derivation!, branch: null };
  return { ...event, meta: { ...event.meta, derivation } } as AtlasEvent;
};

const outcomeOf = (trace: SessionTrace | undefined): Outcome => ({
  score: trace?.reward?.score ?? null,
  alert: trace?.drift?.alert ?? false,
  reason: trace?.drift?.reason ?? null,
  review: trace?.review_status ?? "pending",
});

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const moveOf = ({ before, after }: SessionChange): number =>
  before.score === null || after.score === null
    ? Number.POSITIVE_INFINITY
    : Math.abs(after.score - before.score);

/** What a report compares. */
interface Compared {
  standing: Derived;
  computed: Derived;
  threshold: number;
  simulated: ReadonlySet<Uuid>;
}

/** Holds what stands against what another rubric comes to. */
export function reportOf({ standing, computed, threshold, simulated }: Compared): RescoreReport {
  const [before, after] = [tracesOf(standing), tracesOf(computed)];
  const changes: SessionChange[] = [];
  const counts: RescoreCounts = {
    sessions: 0,
    simulated: 0,
    moved: 0,
    lost: 0,
    gained: 0,
    crossing: { up: 0, down: 0 },
    alerts: { before: 0, after: 0, raised: 0, cleared: 0 },
    review: {},
  };
  const scores: RescoreReport["scores"] = { before: [], after: [] };
  for (const sessionId of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [outcomeOf(before.get(sessionId)), outcomeOf(after.get(sessionId))];
    const reward = (after.get(sessionId)?.reward ?? before.get(sessionId)?.reward) as SessionRewarded | null;
    if (reward === null || reward === undefined) continue;
    counts.sessions += 1;
    counts.simulated += Number(simulated.has(sessionId));
    if (was.score !== null) scores.before.push(was.score);
    if (is.score !== null) scores.after.push(is.score);
    if (was.score !== null && is.score !== null && was.score !== is.score) counts.moved += 1;
    counts.lost += Number(was.score !== null && is.score === null);
    counts.gained += Number(was.score === null && is.score !== null);
    const passes = ({ score }: Outcome): boolean => score !== null && score >= threshold;
    counts.crossing.up += Number(!passes(was) && passes(is));
    counts.crossing.down += Number(passes(was) && !passes(is));
    counts.alerts.before += Number(was.alert);
    counts.alerts.after += Number(is.alert);
    counts.alerts.raised += Number(!was.alert && is.alert);
    counts.alerts.cleared += Number(was.alert && !is.alert);
    if (was.review !== is.review) {
      const step = `${was.review} → ${is.review}`;
      counts.review[step] = (counts.review[step] ?? 0) + 1;
    }
    if (JSON.stringify(was) !== JSON.stringify(is))
      changes.push({
        sessionId,
        simulated: simulated.has(sessionId),
        learningKey: reward.learning_key,
        before: was,
        after: is,
      });
  }
  changes.sort((a, b) => moveOf(b) - moveOf(a) || (a.sessionId < b.sessionId ? -1 : 1));
  return {
    threshold,
    counts,
    mean: { before: mean(scores.before), after: mean(scores.after) },
    scores,
    changes,
  };
}
