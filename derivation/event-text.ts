import { decodeEvent, encodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";

/** An event as text without white space but one blank: what is sorted outside of memory is made of lines. */
export function textOf(event: AtlasEvent): string {
  const { fingerprint, body } = encodeEvent(event);
  return `${fingerprint} ${body.toString("base64")}`;
}

/** The event of a text. */
export function eventIn(text: string): AtlasEvent {
  const blank = text.indexOf(" ");
  return decodeEvent(text.slice(0, blank), Buffer.from(text.slice(blank + 1), "base64"));
}
