import { createMask, type MaskOptions } from "../../recording/masking/create-mask.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { EventOf } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";

const session = newId();

/** What a mask leaves of a text. */
export function maskedReason(options: MaskOptions, text: string): string {
  const meta = {
    event_id: newId(),
    session_id: session,
    source: session,
    sequence: 1,
    occurred_at: 1,
    time_assumed: false,
  };
  const event = createEvent("StepSkipped", meta, { step_id: 1, reason: text });
  return (createMask(options)(event) as EventOf<"StepSkipped">).reason;
}
