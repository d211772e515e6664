import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf, newId, nowMicros } from "../../schemas/identity.ts";
import { alreadyMasked, type Masked } from "../../schemas/masked.ts";

/** A small fact of a session, for tests in which only its place matters. */
export const fact = (session: string, sequence: number, reason = "because"): AtlasEvent =>
  createEvent(
    "StepSkipped",
    {
      event_id: newId(),
      session_id: session,
      source: session,
      sequence,
      occurred_at: nowMicros(),
      time_assumed: false,
    },
    { step_id: sequence, reason },
  );

/** The first `count` facts of a session. */
export const facts = (session: string, count: number, first = 1): AtlasEvent[] =>
  Array.from({ length: count }, (_, index) => fact(session, first + index));

/** What a test's consumer emits for a fact: its id follows from the fact's. */
export const echoOf = ({ meta }: AtlasEvent, learning_key: string): Masked =>
  alreadyMasked(
    createEvent(
      "ReviewStatusChanged",
      { ...meta, event_id: idOf("echo", meta.event_id), source: `echo/${meta.source}` },
      { learning_key, from_status: "pending", to_status: "approved", because: "rule" },
    ),
  );
