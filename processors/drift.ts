import type { ReviewDecided, SessionRewarded } from "../schemas/generated/events.ts";
import { type DriftGuardrails, type Rules, stableJson } from "../schemas/rules.ts";
import { round12 } from "../statistics/numbers.ts";
import { defineProcessor } from "./define-processor.ts";
import { type Cohort, cohortOf, type Entry, keepCohorts, newest, precedes } from "./drift-cohort.ts";
import { directionOf, metricValues } from "./drift-metrics.ts";
import { NO_ORDER, type Order, takeInOrder } from "./drift-order.ts";
import { type Finding, messageOf, testMetrics } from "./drift-tests.ts";
import { addEarly, addWord, type EarlyWord, type Words, wordsFor, wordsOn } from "./drift-words.ts";
import { revisionOf, rulesHashOf, sessionOf } from "./fact-fields.ts";
import type { Emission, EmissionOf } from "./processor.ts";

/** What is kept of a learning key: two of the widest windows that rules have asked for, of each cohort. */
interface DriftState {
  widest: number;
  cohorts: Record<string, Cohort>;
  /** On sessions of the cohorts. */
  words: Words;
  early: EarlyWord[];
  order: Order;
  /** What the rewards that wait were made by, by hash: whoever goes on may not have seen these rules. */
  rules: Record<string, DriftRules>;
  /** The rubric of the first reward; cohorts of other rubrics have theirs in their name. */
  rubric?: string;
}

type DriftRules = Pick<Rules, "drift" | "rubric">;

const NEW: DriftState = { widest: 0, cohorts: {}, words: {}, early: [], order: NO_ORDER, rules: {} };

/** Two of the usual windows, for decisions on sessions whose reward has not come yet. */
const LEAST_WORDS = 100;

/**
 * Holds every rewarded session against the sessions of its cohort that completed before it: one `DriftAssessed` for
 * each `SessionRewarded`, by the rules of that reward. `docs/drift.md` describes the tests.
 *
 * Sessions of an import are taken in its order, which each says by naming the one before it; others as they come. A
 * session is never part of its own baseline. One that arrives late is assessed against those before it and
 * counts for those after it; nothing assessed is rewritten. A person's word counts for sessions that completed
 * after it was given, however facts of the two topics interleave, unless it arrives later still: then it counts from
 * there on. Rewards of different rubrics are different measurements: they are never in one baseline. A revised reward
 * takes its place in the state and is not assessed here, because its assessment is revised with it.
 *
 * Two windows of sessions are kept, so that a session overtaken by up to a window of others still finds
 * a whole baseline; one overtaken by more finds a shorter one.
 */
export const drift = defineProcessor({
  name: "drift",
  version: 2,
  facts: ["SessionRewarded", "ReviewDecided"],
  emits: ["DriftAssessed"],
  key: (fact) => fact.learning_key,
  reduce: (before: DriftState = NEW, fact, rules) => {
    if (fact.type === "ReviewDecided") return { state: withWord(before, fact), emit: [] };
    const hash = rulesHashOf(fact);
    const known = { ...before.rules, [hash]: rules(hash) };
    const { order, due } = takeInOrder(before.order, fact);
    let state: DriftState = { ...before, order };
    const emit: Emission[] = [];
    for (const reward of due) {
      const assessed = assess(state, reward, known[rulesHashOf(reward)]!);
      state = assessed.state;
      if (revisionOf(reward) === 0) emit.push(assessed.emission);
    }
    return { state: { ...state, rules: ofWaiting(order, known) }, emit };
  },
});

/** The rules that those that wait will be assessed by. */
function ofWaiting({ waiting }: Order, known: Record<string, DriftRules>): Record<string, DriftRules> {
  const hashes = new Set(waiting.map(({ reward }) => rulesHashOf(reward)));
  return Object.fromEntries(
    [...hashes].map((hash) => {
      const { drift: guardrails, rubric } = known[hash]!;
      return [hash, { drift: guardrails, rubric }];
    }),
  );
}

function withWord(state: DriftState, fact: ReviewDecided): DriftState {
  const session = sessionOf(fact);
  const isKept = Object.values(state.cohorts).some(({ sessions }) =>
    sessions.some(({ place }) => place[1] === session),
  );
  if (isKept) return { ...state, words: addWord(state.words, fact) };
  return { ...state, early: addEarly(state.early, fact, Math.max(2 * state.widest, LEAST_WORDS)) };
}

/** Holds a session against those before it, and takes it among them. */
function assess(
  before: DriftState,
  reward: SessionRewarded,
  { drift: guardrails, rubric }: DriftRules,
): { state: DriftState; emission: Emission } {
  const session = sessionOf(reward);
  const name = cohortOf(reward, guardrails.by);
  const own = stableJson(rubric);
  const first = before.rubric ?? own;
  const kept = own === first ? name : `${name} under ${own}`;
  const cohorts = withoutSession(before.cohorts, session);
  const cohort = cohorts[kept] ?? { sessions: [], levels: {} };
  const entry: Entry = {
    place: [reward.completed_at, session],
    values: metricValues(reward),
    ranks: {},
    alert: false,
  };
  const { words, early } = wordsFor(session, before);
  const findings = testMetrics(entry, cohort, words, guardrails);
  const widest = Math.max(before.widest, guardrails.window);
  const after = keepCohorts({ ...cohorts, [kept]: withEntry(cohort, entry, findings, widest) });
  return {
    state: { ...before, rubric: first, widest, cohorts: after, words: wordsOnCohorts(words, after), early },
    emission: assessment(reward, name, findings, guardrails),
  };
}

/** Forgets a session that is rewarded again: it may now belong to another cohort. */
function withoutSession(cohorts: Record<string, Cohort>, session: string): Record<string, Cohort> {
  const others = ({ place }: Entry): boolean => place[1] !== session;
  return Object.fromEntries(
    Object.entries(cohorts).map(([name, cohort]) => [
      name,
      cohort.sessions.every(others) ? cohort : { ...cohort, sessions: cohort.sessions.filter(others) },
    ]),
  );
}

/** Puts a session in its place, with what was found about it. */
function withEntry(
  { sessions, levels }: Cohort,
  entry: Entry,
  findings: readonly Finding[],
  widest: number,
): Cohort {
  const tested: Entry = { ...entry, ranks: {}, alert: findings.some(({ alert }) => alert !== undefined) };
  const after: Cohort["levels"] = { ...levels };
  for (const { metric, rank, level } of findings) {
    if (rank !== undefined) tested.ranks[metric.metric] = rank;
    if (level !== undefined) after[metric.metric] = level;
  }
  const place = sessions.findIndex((other) => precedes(entry.place, other.place));
  const at = place === -1 ? sessions.length : place;
  return {
    sessions: newest([...sessions.slice(0, at), tested, ...sessions.slice(at)], 2 * widest),
    levels: after,
  };
}

function wordsOnCohorts(words: Words, cohorts: Record<string, Cohort>): Words {
  if (Object.keys(words).length === 0) return words;
  const sessions = Object.values(cohorts).flatMap((cohort) => cohort.sessions.map(({ place }) => place[1]));
  return wordsOn(words, new Set(sessions));
}

function assessment(
  fact: SessionRewarded,
  cohort: string,
  findings: readonly Finding[],
  { window, threshold, min_baseline }: DriftGuardrails,
): EmissionOf<"DriftAssessed"> {
  const alarming = findings.find(({ alert }) => alert !== undefined);
  const enough = findings.some(({ baseline }) => baseline.sample_count >= Math.max(min_baseline, 1));
  return {
    type: "DriftAssessed",
    cause: fact,
    rulesHash: rulesHashOf(fact),
    // Each is the first of its own cause, with however many others it has its turn.
    ordinal: 0,
    draft: {
      learning_key: fact.learning_key,
      completed_at: fact.completed_at,
      alert: alarming !== undefined,
      reason: enough ? null : "insufficient_baseline",
      ...(alarming !== undefined && {
        reason: `${alarming.metric.metric}_${alarming.alert}`,
        direction: directionOf(alarming.metric.metric, alarming.change ?? 0),
        message: messageOf(alarming),
      }),
      window,
      threshold,
      metrics: findings.map(({ metric }) => metric),
      baseline: findings.map(({ baseline }) => baseline),
      score: round12(fact.score),
      uncertainty: fact.statistics.uncertainty_mean ?? null,
      complete: fact.complete ?? null,
      cohort,
    },
  };
}
