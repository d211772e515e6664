import type { Micros, ReviewDecided, Uuid } from "../schemas/generated/events.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";
import { sessionOf } from "./fact-fields.ts";
import { fold } from "./fold.ts";
import { defineProcessor } from "./processor.ts";

/** The decision that stands. */
interface ReviewState {
  status: ReviewStatus;
  at: Micros;
  decision: Uuid;
}

/** No rule takes part in a person's word, and naming one would tie the result to what arrived first. */
const NO_RULES = "";

/**
 * Keeps a session's review status: pending until a person decides, and then what the latest decision says, by its
 * time, then its id. A decision that is older than the one that stands changes nothing, and neither does one that
 * says the same; both stay in `atlas.decisions`. What drift says leaves the status alone.
 */
export const review = defineProcessor({
  name: "review",
  version: 1,
  inputs: ["atlas.drift", "atlas.decisions"],
  output: "atlas.review-status",
  facts: ["DriftAssessed", "ReviewDecided"],
  key: sessionOf,
  process: fold<"DriftAssessed" | "ReviewDecided", ReviewState>((before, fact) => {
    if (fact.type === "DriftAssessed") return { state: before, emit: [] };
    if (before !== undefined && !isLater(fact, before)) return { state: before, emit: [] };
    const status = fact.decision as ReviewStatus;
    const from = before?.status ?? "pending";
    const state = { status, at: fact.meta.occurred_at, decision: fact.meta.event_id };
    if (from === status) return { state, emit: [] };
    return {
      state,
      emit: [
        {
          type: "ReviewStatusChanged",
          cause: fact,
          rulesHash: NO_RULES,
          draft: {
            learning_key: fact.learning_key,
            from_status: from,
            to_status: status,
            because: "person",
            author: fact.author,
            note: fact.note ?? null,
            overrode: before?.decision ?? null,
          },
        },
      ],
    };
  }),
});

const isLater = ({ meta }: ReviewDecided, { at, decision }: ReviewState): boolean =>
  meta.occurred_at === at ? meta.event_id > decision : meta.occurred_at > at;
