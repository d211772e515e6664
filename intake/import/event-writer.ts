import { createEvent } from "../../schemas/codec.ts";
import type { Draft, EventType, Meta, Uuid } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import type { Masked, Masking } from "../../schemas/masked.ts";
import { splitContent } from "../../traces/content.ts";
import type { Moment } from "./recorded-times.ts";

/** Adds an event to a session, and returns its id. */
export type Emit = <T extends EventType>(type: T, moment: Moment, draft: Draft<T>) => Uuid;

/** Writes the events of a session one after the other: masked, numbered, and in parts where one is too large. */
export function eventWriter(sessionId: Uuid, events: Masked[], mask: Masking): Emit {
  let sequence = 0;
  const nextMeta = ({ at, assumed }: Moment): Meta => {
    sequence += 1;
    return {
      event_id: idOf(sessionId, sequence),
      session_id: sessionId,
      source: sessionId,
      sequence,
      occurred_at: at,
      time_assumed: assumed,
    };
  };
  return (type, moment, draft) => {
    const event = mask(createEvent(type, nextMeta(moment), draft));
    for (const part of splitContent(event, () => nextMeta(moment))) events.push(part);
    return event.meta.event_id;
  };
}
