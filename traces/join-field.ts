import type { AtlasEvent, ContentContinued } from "../schemas/generated/events.ts";
import { textAt, withTextAt } from "./field-path.ts";

/**
 * Joins a text to its event once all its parts are there.
 *
 * @param pending the parts at hand, of this event and others
 * @param joined how many parts the event was joined from already: what is to be joined has to follow them directly
 * @returns the whole event and the parts that went into it; undefined while some are missing
 */
export function joinField(
  event: AtlasEvent,
  field: string,
  pending: readonly ContentContinued[],
  joined: number,
): { event: AtlasEvent; used: ContentContinued[] } | undefined {
  const beginning = textAt(event, field);
  if (beginning === undefined) return undefined;
  const used = pending
    .filter((part) => part.continues === event.meta.event_id && part.field === field)
    .sort((a, b) => a.part - b.part);
  const whole = used.length > 0 && used.length === used[0]!.parts;
  const inPlace = used.every(
    ({ part, meta }, index) =>
      part === index + 1 &&
      meta.source === event.meta.source &&
      meta.sequence === event.meta.sequence + joined + part,
  );
  if (!whole || !inPlace) return undefined;
  const text = beginning + used.map((part) => part.text).join("");
  return { event: withTextAt(event, field, text), used };
}
