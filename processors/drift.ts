import { filter, map, merge } from "rxjs";
import type { ReviewDecided, SessionRewarded } from "../schemas/generated/events.ts";
import { type DriftGuardrails, type Rules, type RulesLookup, stableJson } from "../schemas/rules.ts";
import { round12 } from "../statistics/numbers.ts";
import { defineProcessor } from "./define-processor.ts";
import {
  type Cohort,
  cohortOf,
  countBefore,
  type Entry,
  keepCohorts,
  type Marks,
  newest,
  type Place,
  precedes,
  rowOf,
  widerSessions,
} from "./drift-cohort.ts";
import { directionOf, metricValues } from "./drift-metrics.ts";
import { NO_ORDER, type Order, takeInOrder } from "./drift-order.ts";
import { keptBy, type Reference } from "./drift-sample.ts";
import { type Finding, messageOf, testMetrics } from "./drift-tests.ts";
import { addEarly, addWord, type EarlyWord, type Words, wordsFor, wordsOn } from "./drift-words.ts";
import { type DurableStep, durable } from "./durable.ts";
import { revisionOf, rulesHashOf, sessionOf } from "./fact-fields.ts";
import { ofType } from "./operators.ts";
import type { EmissionOf } from "./processor.ts";

type DriftRules = Pick<Rules, "drift" | "rubric">;

/** The rewards that wait for their turn. */
interface Queue {
  order: Order;
  /** What they were made by, by hash: whoever goes on may not have seen these rules. */
  rules: Record<string, DriftRules>;
}

/** A reward whose turn it is. */
interface Due {
  reward: SessionRewarded;
  rules: DriftRules;
}

/** What is kept of the sessions that had their turn. */
interface History {
  /** How many sessions of each cohort are kept: the most that rules have asked for. */
  kept: number;
  cohorts: Record<string, Cohort>;
  /** What was found in wider cohorts, whose sessions are those of the cohorts. */
  wider: Record<string, Marks>;
  /** On sessions of the cohorts. */
  words: Words;
  early: EarlyWord[];
  /** The rubric of the first reward; cohorts of other rubrics have theirs in their name. */
  rubric?: string;
}

/** What is kept of a learning key, by durable operator. */
export interface DriftState {
  queue?: Queue;
  history?: History;
}

/** What the tests say about a reward. */
interface Assessed {
  reward: SessionRewarded;
  cohort: string;
  findings: readonly Finding[];
  alarming: Finding | undefined;
  heldBack: boolean;
  guardrails: DriftGuardrails;
}

const NO_QUEUE: Queue = { order: NO_ORDER, rules: {} };

const NO_HISTORY: History = { kept: 0, cohorts: {}, wider: {}, words: {}, early: [] };

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
  version: 3,
  facts: ["SessionRewarded", "ReviewDecided"],
  emits: ["DriftAssessed"],
  key: (fact) => fact.learning_key,
  pipe: (facts$, { rules }) => {
    const words$ = facts$.pipe(ofType("ReviewDecided"));
    const rewards$ = facts$.pipe(ofType("SessionRewarded"));
    return merge(words$, rewards$.pipe(inOrder(rules))).pipe(
      durable<ReviewDecided | Due, Assessed, History>("history", (before = NO_HISTORY, next) =>
        "reward" in next ? assess(before, next) : { state: withWord(before, next), out: [] },
      ),
      filter(({ reward }) => revisionOf(reward) === 0),
      map(assessment),
    );
  },
});

/** Passes rewards on when it is their turn, each with its rules. */
const inOrder = (rules: RulesLookup) =>
  durable<SessionRewarded, Due, Queue>("queue", (before = NO_QUEUE, fact) => {
    const hash = rulesHashOf(fact);
    const known = { ...before.rules, [hash]: rules(hash) };
    const { order, due } = takeInOrder(before.order, fact);
    return {
      state: { order, rules: ofWaiting(order, known) },
      out: due.map((reward) => ({ reward, rules: known[rulesHashOf(reward)]! })),
    };
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

function withWord(state: History, fact: ReviewDecided): History {
  const session = sessionOf(fact);
  const isKept = Object.values(state.cohorts).some(({ sessions }) =>
    sessions.some(({ place }) => place[1] === session),
  );
  if (isKept) return { ...state, words: addWord(state.words, fact) };
  return { ...state, early: addEarly(state.early, fact, Math.max(state.kept, LEAST_WORDS)) };
}

const NOTHING_FOUND: Marks = { levels: {}, quiet: {} };

/** Holds a session against those before it, and takes it among them. */
function assess(
  before: History,
  { reward, rules: { drift: guardrails, rubric } }: Due,
): DurableStep<History, Assessed> {
  const session = sessionOf(reward);
  const own = stableJson(rubric);
  const first = before.rubric ?? own;
  const [name, wider] = [guardrails.by, guardrails.by.filter((field) => field === "agent")].map((by) =>
    cohortOf(reward, by),
  ) as [string, string];
  const kept = (of: string): string => (own === first ? of : `${of} under ${own}`);
  const cohorts = withoutSession(before.cohorts, session);
  const cohort = cohorts[kept(name)] ?? { ...NOTHING_FOUND, sessions: [], wider: kept(wider) };
  const place: Place = [reward.completed_at, session];
  const reference = referenceOf(place, { ...before, cohorts }, { cohort, guardrails });
  const entry: Entry = {
    place,
    values: rowOf(metricValues(reward)),
    ranks: [],
    ...(reference.wide && { wide: true }),
  };
  const { words, early } = wordsFor(session, before);
  const findings = testMetrics(entry, reference, { words, guardrails });
  const raised = findings.filter(({ alert }) => alert !== undefined);
  const told = raised.filter((finding) => !isQuiet(finding, reference.marks));
  const marks = withFindings(reference.marks, findings, {
    told: revisionOf(reward) === 0 ? told : undefined,
    place,
    coolDown: guardrails.cool_down,
  });
  const most = Math.max(before.kept, keptBy(guardrails));
  const sessions = withEntry(cohort.sessions, { entry, findings, most });
  const after = keepCohorts({
    ...cohorts,
    [kept(name)]: { ...cohort, ...(!reference.wide && marks), sessions },
  });
  return {
    state: {
      ...before,
      rubric: first,
      kept: most,
      cohorts: after,
      wider: ofCohorts(reference.wide ? { ...before.wider, [cohort.wider]: marks } : before.wider, after),
      words: wordsOnCohorts(words, after),
      early,
    },
    out: [
      {
        reward,
        cohort: reference.wide ? wider : name,
        findings,
        alarming: told[0],
        heldBack: raised.length > 0,
        guardrails,
      },
    ],
  };
}

/** The cohort of a session, or the wider one while the cohort has few sessions and the wider one has more. */
function referenceOf(
  place: Place,
  { cohorts, wider }: History,
  { cohort, guardrails }: { cohort: Cohort; guardrails: DriftGuardrails },
): Reference {
  const count = countBefore(cohort.sessions, place);
  if (count < guardrails.fall_back) {
    const sessions = widerSessions(cohorts, cohort.wider, { before: place, count: keptBy(guardrails) });
    if (sessions.length > count) return { sessions, marks: wider[cohort.wider] ?? NOTHING_FOUND, wide: true };
  }
  return { sessions: cohort.sessions, marks: { levels: cohort.levels, quiet: cohort.quiet }, wide: false };
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

/** What an alert is about: the same one is not raised again for a while. */
const alertOf = ({ metric, change }: Finding): string =>
  `${metric.metric} ${directionOf(metric.metric, change ?? 0)}`;

/** Whether an alert says again what one has said lately. A change that set out since then is another one. */
function isQuiet(finding: Finding, { quiet }: Marks): boolean {
  const earlier = quiet[alertOf(finding)];
  if (earlier === undefined) return false;
  return finding.level === undefined || !precedes(earlier.raised, finding.level.from);
}

/** Takes down the levels that were found, and which alerts are not raised again for a while. */
function withFindings(
  { levels, quiet }: Marks,
  findings: readonly Finding[],
  { told, place, coolDown }: { told: readonly Finding[] | undefined; place: Place; coolDown: number },
): Marks {
  const after: Marks["levels"] = { ...levels };
  for (const { metric, level } of findings) if (level !== undefined) after[metric.metric] = level;
  if (told === undefined) return { levels: after, quiet };
  const still: Marks["quiet"] = {};
  for (const [alert, { left, raised }] of Object.entries(quiet))
    if (left > 1) still[alert] = { left: left - 1, raised };
  if (coolDown > 0) for (const finding of told) still[alertOf(finding)] = { left: coolDown, raised: place };
  return { levels: after, quiet: still };
}

/** Puts a session in its place, with what was found about it. */
function withEntry(
  sessions: readonly Entry[],
  { entry, findings, most }: { entry: Entry; findings: readonly Finding[]; most: number },
): Entry[] {
  const tested: Entry = {
    ...entry,
    ranks: rowOf(Object.fromEntries(findings.map(({ metric, rank }) => [metric.metric, rank]))),
    ...(findings.some(({ alert }) => alert !== undefined) && { alert: true }),
  };
  const at = countBefore(sessions, entry.place);
  return newest([...sessions.slice(0, at), tested, ...sessions.slice(at)], most);
}

/** What was found in the wider cohorts that cohorts still have. */
function ofCohorts(wider: Record<string, Marks>, cohorts: Record<string, Cohort>): Record<string, Marks> {
  const named = new Set(Object.values(cohorts).map((cohort) => cohort.wider));
  return Object.fromEntries(Object.entries(wider).filter(([name]) => named.has(name)));
}

function wordsOnCohorts(words: Words, cohorts: Record<string, Cohort>): Words {
  if (Object.keys(words).length === 0) return words;
  const sessions = Object.values(cohorts).flatMap((cohort) => cohort.sessions.map(({ place }) => place[1]));
  return wordsOn(words, new Set(sessions));
}

function assessment({
  reward,
  cohort,
  findings,
  alarming,
  heldBack,
  guardrails: { window, threshold, min_baseline },
}: Assessed): EmissionOf<"DriftAssessed"> {
  const enough = findings.some(({ baseline }) => baseline.sample_count >= Math.max(min_baseline, 1));
  const silent = heldBack ? "cool_down" : null;
  return {
    type: "DriftAssessed",
    cause: reward,
    rulesHash: rulesHashOf(reward),
    // Each is the first of its own cause, with however many others it has its turn.
    ordinal: 0,
    draft: {
      learning_key: reward.learning_key,
      completed_at: reward.completed_at,
      alert: alarming !== undefined,
      reason: enough ? silent : "insufficient_baseline",
      ...(alarming !== undefined && {
        reason: `${alarming.metric.metric}_${alarming.alert}`,
        direction: directionOf(alarming.metric.metric, alarming.change ?? 0),
        message: messageOf(alarming),
      }),
      window,
      threshold,
      metrics: findings.map(({ metric }) => metric),
      baseline: findings.map(({ baseline }) => baseline),
      score: round12(reward.score),
      uncertainty: reward.statistics.uncertainty_mean ?? null,
      complete: reward.complete ?? null,
      cohort,
    },
  };
}
