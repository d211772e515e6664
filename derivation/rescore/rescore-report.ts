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

function traceOf(session: Uuid, derived: Derived): SessionTrace {
  const trace = emptyTrace(session);
  for (const events of derived.values()) for (const event of events) foldEvent(trace, live(event));
  return trace;
}

/** Facts of a branch are no facts of a session unless they are taken for live ones. */
const live = (event: AtlasEvent): AtlasEvent => {
  const derivation = { ...event.meta.derivation!, branch: null };
  return { ...event, meta: { ...event.meta, derivation } } as AtlasEvent;
};

const outcomeOf = ({ reward, drift, review_status }: SessionTrace): Outcome => ({
  score: reward?.score ?? null,
  alert: drift?.alert ?? false,
  reason: drift?.reason ?? null,
  review: review_status ?? "pending",
});

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const moveOf = ({ before, after }: SessionChange): number =>
  before.score === null || after.score === null
    ? Number.POSITIVE_INFINITY
    : Math.abs(after.score - before.score);

/** One session, as it stands and as it was computed. */
interface Compared {
  sessionId: Uuid;
  standing: Derived;
  computed: Derived;
  simulated: boolean;
}

/** Holds what stands of each session against what another rubric comes to. */
export class RescoreReporter {
  private readonly threshold: number;
  private readonly changes: SessionChange[] = [];
  private readonly scores: RescoreReport["scores"] = { before: [], after: [] };
  private readonly counts: RescoreCounts = {
    sessions: 0,
    simulated: 0,
    moved: 0,
    lost: 0,
    gained: 0,
    crossing: { up: 0, down: 0 },
    alerts: { before: 0, after: 0, raised: 0, cleared: 0 },
    review: {},
  };

  constructor(threshold: number) {
    this.threshold = threshold;
  }

  /** Takes the next session, in the order of their ids. */
  take({ sessionId, standing, computed, simulated }: Compared): void {
    const [before, after] = [traceOf(sessionId, standing), traceOf(sessionId, computed)];
    const [was, is] = [outcomeOf(before), outcomeOf(after)];
    const reward = (after.reward ?? before.reward) as SessionRewarded | null;
    if (reward === null || reward === undefined) return;
    const { counts, scores, threshold } = this;
    counts.sessions += 1;
    counts.simulated += Number(simulated);
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
    if (JSON.stringify(was) === JSON.stringify(is)) return;
    this.changes.push({ sessionId, simulated, learningKey: reward.learning_key, before: was, after: is });
  }

  report(): RescoreReport {
    const { threshold, counts, scores, changes } = this;
    changes.sort((a, b) => moveOf(b) - moveOf(a) || (a.sessionId < b.sessionId ? -1 : 1));
    return {
      threshold,
      counts,
      mean: { before: mean(scores.before), after: mean(scores.after) },
      scores,
      changes,
    };
  }
}
