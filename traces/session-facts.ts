import type {
  AtlasEvent,
  DeadLettered,
  DeadLetterRetried,
  Meta,
  ReviewStatusChanged,
} from "../schemas/generated/events.ts";
import type { SessionFacts, TraceDeadLetter } from "./session-trace.ts";

/** What is known of a session elsewhere before anything was said of it. */
export const emptyFacts = (): SessionFacts => ({
  reward: null,
  drift: null,
  review_status: "pending",
  review_notes: null,
  review_changes: [],
  decisions: [],
  playbooks_used: [],
  erased: null,
  dead_letters: [],
  retried: [],
  derivations: [],
});

type Fact = { meta: Meta };

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** Later revisions come later; then later logic, then later causes. */
const byRevision = (a: Fact, b: Fact): number =>
  compare(a.meta.derivation?.revision ?? 0, b.meta.derivation?.revision ?? 0) ||
  compare(a.meta.derivation?.version ?? 0, b.meta.derivation?.version ?? 0) ||
  compare(a.meta.occurred_at, b.meta.occurred_at) ||
  compare(a.meta.sequence, b.meta.sequence) ||
  compare(a.meta.event_id, b.meta.event_id);

const byTime = (a: Fact, b: Fact): number =>
  compare(a.meta.occurred_at, b.meta.occurred_at) || compare(a.meta.event_id, b.meta.event_id);

/** A person's word stands after every rule's, and of several persons' the latest, as the review processor has it. */
function byStanding(a: ReviewStatusChanged, b: ReviewStatusChanged): number {
  const person = (change: ReviewStatusChanged): number => Number(change.because === "person");
  const words = person(a) - person(b);
  if (words !== 0 || person(a) === 0) return words || byRevision(a, b);
  return (
    compare(a.meta.occurred_at, b.meta.occurred_at) ||
    compare(a.meta.causation_id ?? "", b.meta.causation_id ?? "") ||
    byRevision(a, b)
  );
}

/** The derivations of one thing: the one that holds, whichever came first. */
const later = <T extends Fact>(before: T | null, fact: T): T =>
  before === null || byRevision(before, fact) < 0 ? fact : before;

/** Puts a fact into its place of an ordered list; of one event, the latest revision stays. */
function insert<T extends Fact>(facts: T[], fact: T, order: (a: T, b: T) => number): T[] {
  const same = facts.find(({ meta }) => meta.event_id === fact.meta.event_id);
  if (same !== undefined && byRevision(same, fact) >= 0) return facts;
  return [...facts.filter((other) => other !== same), fact].sort(order);
}

const byPlace = (a: TraceDeadLetter, b: TraceDeadLetter): number =>
  compare(a.topic, b.topic) ||
  compare(a.partition, b.partition) ||
  compare(a.offset, b.offset) ||
  compare(a.group, b.group);

const placeOf = ({
  group,
  topic,
  partition,
  offset,
}: DeadLettered | DeadLetterRetried | TraceDeadLetter): string =>
  `${group}: ${topic}[${partition}]@${offset}`;

function letterOf(event: DeadLettered): TraceDeadLetter {
  const { group, topic, partition, offset, error_code, error } = event;
  return { group, topic, partition, offset, error_code, error };
}

/**
 * Takes in what was said of a session outside its own topic. The result depends on the set of facts only, not on
 * their order; facts of a branch are no facts of the session.
 */
export function applyFact(facts: SessionFacts, event: AtlasEvent): void {
  if ((event.meta.derivation?.branch ?? null) !== null) return;
  take(facts, event);
  facts.derivations = [facts.reward, facts.drift, facts.review_changes.at(-1)].flatMap(
    (fact) => fact?.meta.derivation ?? [],
  );
}

function take(facts: SessionFacts, event: AtlasEvent): void {
  switch (event.type) {
    case "SessionRewarded":
      facts.reward = later(facts.reward, event);
      return;
    case "DriftAssessed":
      facts.drift = later(facts.drift, event);
      return;
    case "ReviewStatusChanged": {
      facts.review_changes = insert(facts.review_changes, event, byStanding);
      const last = facts.review_changes.at(-1)!;
      facts.review_status = last.to_status as SessionFacts["review_status"];
      facts.review_notes = last.note ?? null;
      return;
    }
    case "ReviewDecided":
      facts.decisions = insert(facts.decisions, event, byTime);
      return;
    case "PlaybookUsed":
      facts.playbooks_used = insert(facts.playbooks_used, event, byTime);
      return;
    case "SessionErased":
      if (facts.erased === null || byTime(event, facts.erased) < 0) facts.erased = event;
      return;
    case "DeadLettered": {
      const letter = letterOf(event);
      if (facts.dead_letters.some((known) => byPlace(known, letter) === 0)) return;
      if (facts.retried.includes(placeOf(event))) return;
      facts.dead_letters = [...facts.dead_letters, letter].sort(byPlace);
      return;
    }
    case "DeadLetterRetried": {
      const place = placeOf(event);
      facts.retried = [...new Set([...facts.retried, place])].sort();
      facts.dead_letters = facts.dead_letters.filter((letter) => placeOf(letter) !== place);
      return;
    }
    default:
  }
}
