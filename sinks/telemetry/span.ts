import type { Micros, Uuid } from "../../schemas/generated/events.ts";

/** What a span can say of itself. */
export type SpanAttributes = Record<string, string | number | boolean | string[]>;

/** Something that happened within a span. */
export interface SpanMoment {
  name: string;
  at: Micros;
  attributes: SpanAttributes;
}

/** A span on its way to a collector. */
export interface Span {
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
  parentId: string | undefined;
  name: string;
  /** `client` where it asks somebody outside of this process, `consumer` where it applies records of a log. */
  kind: "internal" | "client" | "consumer";
  from: Micros;
  until: Micros;
  failed: boolean;
  /** Why it failed, where that may be told. */
  message?: string;
  attributes: SpanAttributes;
  moments: SpanMoment[];
}

/** The id of the span of a call or an event: the last 16 hex digits of its own id, where its chance is. */
export const spanIdOf = (id: Uuid): string => id.replaceAll("-", "").slice(-16);

/**
 * Attributes without those that are not known.
 *
 * @example
 * known({ "atlas.role": "student", "gen_ai.usage.input_tokens": null }); // { "atlas.role": "student" }
 */
export function known(attributes: Record<string, SpanAttributes[string] | null | undefined>): SpanAttributes {
  const present: SpanAttributes = {};
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== undefined) present[name] = value;
  return present;
}
