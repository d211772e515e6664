import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent, ContentContinued, Meta, Uuid } from "../schemas/generated/events.ts";
import { alreadyMasked, type Masked } from "../schemas/masked.ts";
import { textAt, textPaths, withTextAt } from "./field-path.ts";
import { joinField } from "./join-field.ts";

/** The largest encoded event, in bytes: 256 KiB. */
export const MAX_CONTENT_BYTES = 256 * 1024;

/** Room for what an event holds besides the text that is cut. */
const ENVELOPE_BYTES = 2 * 1024;
const PART_BYTES = MAX_CONTENT_BYTES - ENVELOPE_BYTES;

/** Shorter strings are never cut: they are names and ids rather than contents. */
const SHORT_BYTES = 1024;

/** Keys decide where an event goes; the envelope says what it is. */
const WHOLE = /^(type|learning_key|meta(\..*)?)$/;

/**
 * Says whether an event of this many characters could be too large for one message.
 *
 * @param size number of UTF-16 units of all its texts
 */
export const needsSplitting = (size: number): boolean => size * 3 > PART_BYTES;

/** A safe upper bound of the encoded size of a value, in bytes. */
function bytesOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value) + 6;
  if (typeof value !== "object" || value === null) return 11;
  if (ArrayBuffer.isView(value)) return value.byteLength + 6;
  return Object.values(value).reduce<number>((sum, inner) => sum + bytesOf(inner), 12);
}

/** The end of the longest piece from `start` on that fits, never inside a code point. */
function cutAfter(text: string, start: number, bytes: number): number {
  let end = Math.min(text.length, start + bytes);
  while (Buffer.byteLength(text.slice(start, end)) > bytes) {
    end = start + Math.floor((end - start) * 0.9);
  }
  // A pair that ends here began one unit earlier.
  const splits = end < text.length && /[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text.slice(end - 1, end + 1));
  return splits ? end - 1 : end;
}

function piecesOf(text: string, first: number, rest: number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = cutAfter(text, start, pieces.length === 0 ? first : rest);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** The bytes that each text may keep so that all fit: the longest ones are cut to one common length. */
function fairShare(sizes: readonly number[], room: number): number {
  const ascending = [...sizes].sort((a, b) => a - b);
  let left = room;
  for (const [index, size] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (size > share) return Math.max(share, SHORT_BYTES);
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * Cuts an event that is too large for one message: the event with the beginning of its long texts, then
 * `ContentContinued` events with the rest. An event that fits comes back alone, unchanged.
 *
 * Texts are cut between code points, so the texts that come out are those that went in. A fold joins them again.
 * An event is masked whole, before it is cut: so no cut hides anything from the mask, and no part meets it.
 *
 * @param nextMeta called once for each further event; its sequences have to follow the event's own
 * @example
 * const events = splitContent(log.mask(createEvent("ToolCallEnded", meta, draft)), nextMeta);
 */
export function splitContent(event: Masked, nextMeta: () => Meta): Masked[] {
  if (bytesOf(event) <= MAX_CONTENT_BYTES) return [event];
  const long = textPaths(event)
    .filter((path) => !WHOLE.test(path))
    .map((path) => ({ path, text: textAt(event, path)! }))
    .map((entry) => ({ ...entry, bytes: Buffer.byteLength(entry.text) }))
    .filter(({ bytes }) => bytes > SHORT_BYTES);
  const fixed = bytesOf(event) - long.reduce((sum, { bytes }) => sum + bytes, 0);
  const share = fairShare(
    long.map(({ bytes }) => bytes),
    MAX_CONTENT_BYTES - fixed,
  );
  let parent: AtlasEvent = event;
  const continued: AtlasEvent[] = [];
  for (const { path, text, bytes } of long) {
    if (bytes <= share) continue;
    const [first, ...rest] = piecesOf(text, share, PART_BYTES);
    parent = withTextAt(parent, path, first!);
    for (const [index, piece] of rest.entries()) {
      const draft = {
        continues: event.meta.event_id,
        field: path,
        part: index + 1,
        parts: rest.length,
        text: piece,
      };
      continued.push(createEvent("ContentContinued", nextMeta(), draft));
    }
  }
  return [parent, ...continued].map(alreadyMasked);
}

/**
 * Joins what {@link splitContent} cut: the same events in the same order, without those whose text went back to
 * where it came from. Parts of a content that is not whole stay.
 *
 * @example
 * joinContent(splitContent(event, nextMeta)); // [event]
 */
export function joinContent(events: readonly AtlasEvent[]): AtlasEvent[] {
  const parts = events.filter((event): event is ContentContinued => event.type === "ContentContinued");
  if (parts.length === 0) return [...events];
  const pending = Map.groupBy(parts, ({ continues }) => continues);
  const used = new Set<Uuid>();
  const joined = events.map((event) => {
    const mine = pending.get(event.meta.event_id) ?? [];
    let whole = event;
    let count = 0;
    for (const field of new Set(mine.map((part) => part.field))) {
      const result = joinField(whole, field, mine, count);
      if (result === undefined) continue;
      whole = result.event;
      count += result.used.length;
      for (const { meta } of result.used) used.add(meta.event_id);
    }
    return whole;
  });
  return joined.filter(({ meta }) => !used.has(meta.event_id));
}
