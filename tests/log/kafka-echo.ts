import type { Apply } from "../../log/event-log.ts";
import { createEvent } from "../../schemas/codec.ts";
import { idOf } from "../../schemas/identity.ts";
import { alreadyMasked } from "../../schemas/masked.ts";

/** Writes each fact down, and emits one event for it: both must come about exactly once. */
export const echo: Apply = async (batch, unit) => {
  await unit.tx.query("insert into effects (source, sequence) select * from unnest($1::text[], $2::int[])", [
    batch.map(({ event }) => event.meta.source),
    batch.map(({ event }) => event.meta.sequence),
  ]);
  unit.emit(
    batch.map(({ event }) =>
      alreadyMasked(
        createEvent(
          "ReviewStatusChanged",
          { ...event.meta, event_id: idOf("echo", event.meta.event_id), source: `echo/${event.meta.source}` },
          { learning_key: event.meta.source, from_status: "pending", to_status: "approved", because: "rule" },
        ),
      ),
    ),
  );
};
