import type { DriftAssessed, Micros, ReviewDecided, Uuid } from "../schemas/generated/events.ts";
import type { ReviewGuardrails } from "../schemas/rules.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";
import { defineProcessor } from "./define-processor.ts";
import { readable } from "./drift-tests.ts";
import { revisionOf, rulesHashOf, sessionOf } from "./fact-fields.ts";
import type { EmissionOf, Output } from "./processor.ts";

/** What stands, and by which event. */
interface ReviewState {
  status: ReviewStatus;
  because: "person" | "rule";
  event: Uuid;
  /** When a person decided; for a rule, how often its assessment had been revised. */
  at: Micros;
}

/** No rule takes part in a person's word, and naming one would tie the result to what arrived first. */
const NO_RULES = "";

/**
 * Keeps a session's review status: pending until a rule or a person says otherwise. A person's word beats a rule's,
 * whichever came first; of several persons' the latest stands, by its time, then its id. Every word that stands gives
 * one `ReviewStatusChanged`, also where it confirms the status, so that who is named last in the log is the same for
 * any order of arrival. Words that are older than the one that stands change nothing and stay in `atlas.decisions`.
 *
 * Rules look at the one `DriftAssessed` of the session, by the guardrails that it was assessed by; of revised
 * assessments the last counts.
 */
export const review = defineProcessor({
  name: "review",
  version: 1,
  facts: ["DriftAssessed", "ReviewDecided"],
  emits: ["ReviewStatusChanged"],
  key: sessionOf,
  reduce: (before: ReviewState | undefined, fact, rules) =>
    fact.type === "ReviewDecided"
      ? byPerson(before, fact)
      : byRule(before, fact, rules(rulesHashOf(fact)).review),
});

function byPerson(before: ReviewState | undefined, fact: ReviewDecided): Output<ReviewState> {
  const { occurred_at: at, event_id: event } = fact.meta;
  if (before?.because === "person" && !isLater({ at, event }, before)) return { state: before, emit: [] };
  const state: ReviewState = { status: fact.decision as ReviewStatus, because: "person", event, at };
  const { author, note } = fact;
  return { state, emit: [change(fact, NO_RULES, before, state, { author, note: note ?? null })] };
}

const isLater = (a: Pick<ReviewState, "at" | "event">, b: ReviewState): boolean =>
  a.at === b.at ? a.event > b.event : a.at > b.at;

function byRule(
  before: ReviewState | undefined,
  fact: DriftAssessed,
  guardrails: ReviewGuardrails,
): Output<ReviewState> {
  if (before?.because === "person") return { state: before, emit: [] };
  const at = revisionOf(fact);
  const event = fact.meta.event_id;
  const said = ruling(fact, guardrails);
  if (before === undefined && said === undefined) return { state: before, emit: [] };
  if (before !== undefined && !isLater({ at, event }, before)) return { state: before, emit: [] };
  const { status, note } = said ?? { status: "pending" as const, note: "no rule applies any longer" };
  const state: ReviewState = { status, because: "rule", event, at };
  // A revised assessment that comes to the same is the cause from now on.
  if (status === before?.status && said === undefined) return { state, emit: [] };
  return { state, emit: [change(fact, rulesHashOf(fact), before, state, { author: null, note })] };
}

/** What the rules say about a session; undefined where they leave it to persons. */
function ruling(
  { alert, direction, message, complete, score, uncertainty }: DriftAssessed,
  { auto_approve, quarantine_on_alert }: ReviewGuardrails,
): { status: ReviewStatus; note: string } | undefined {
  if (alert) {
    const counts = quarantine_on_alert === "any" || quarantine_on_alert === direction;
    return counts ? { status: "quarantined", note: `drift: ${message ?? "alert"}` } : undefined;
  }
  if (auto_approve === "off" || complete !== true || score === null || score === undefined) return undefined;
  const { min_reward, max_uncertainty } = auto_approve;
  if (score < min_reward) return undefined;
  const reward = `reward ${readable(score)} of at least ${min_reward}`;
  if (max_uncertainty === null) return { status: "approved", note: `${reward}, no drift alert` };
  if (uncertainty === null || uncertainty === undefined || uncertainty > max_uncertainty) return undefined;
  const certainty = `uncertainty ${readable(uncertainty)} of at most ${max_uncertainty}`;
  return { status: "approved", note: `${reward}, ${certainty}, no drift alert` };
}

const change = (
  cause: DriftAssessed | ReviewDecided,
  rulesHash: string,
  before: ReviewState | undefined,
  { status, because }: ReviewState,
  words: { author: string | null; note: string | null },
): EmissionOf<"ReviewStatusChanged"> => ({
  type: "ReviewStatusChanged",
  cause,
  rulesHash,
  draft: {
    learning_key: cause.learning_key,
    from_status: before?.status ?? "pending",
    to_status: status,
    because,
    ...words,
    overrode: before?.event ?? null,
  },
});
