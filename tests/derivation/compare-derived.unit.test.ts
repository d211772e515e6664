import { expect, test } from "vitest";
import { differencesOf, revisionsOf } from "../../derivation/compare-derived.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";

const SESSIONS = 200_000;

/** A derived event of one session; what they share is made once, because there are many. */
const TEMPLATE = createEvent(
  "ReviewStatusChanged",
  {
    event_id: idOf("event", 0),
    session_id: idOf("session", 0),
    source: "review/x",
    sequence: 1,
    occurred_at: 1,
    time_assumed: false,
    derivation: { processor: "review", version: 1, rules_hash: "", branch: null, revision: 0 },
  },
  { learning_key: "k", from_status: "pending", to_status: "approved", because: "rule" },
);
const changeOf = (number: number): AtlasEvent => ({
  ...TEMPLATE,
  meta: { ...TEMPLATE.meta, event_id: `e${number}`, session_id: `s${number}` },
});

test("two hundred thousand derived events are compared", () => {
  const live = new Map([
    ["atlas.review-status" as const, Array.from({ length: SESSIONS }, (_, number) => changeOf(number))],
  ]);
  const differences = differencesOf(live, new Map(), false);
  // Each is on one side alone.
  expect(differences.length).toBe(SESSIONS);
});

test("a session with two hundred thousand events is revised", () => {
  const live = Array.from({ length: SESSIONS }, (_, number) => changeOf(number));
  const session = live[0]!.meta.session_id!;
  const difference = {
    topic: "atlas.review-status" as const,
    sessionId: session,
    live,
    recomputed: [live[0]!],
  };
  const [revision] = revisionsOf([{ ...difference, what: "" }]);
  expect(revision?.meta.derivation?.revision).toBe(1);
});
