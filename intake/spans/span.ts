import type { Micros } from "../../schemas/generated/events.ts";

/** Something that happened during a span. */
export interface SpanEvent {
  name: string;
  at?: Micros | undefined;
  attributes: Record<string, unknown>;
  /** What else it holds. */
  rest?: Record<string, unknown> | undefined;
}

/** A span of a trace, from whatever notation it was read. */
export interface Span {
  traceId: string;
  spanId: string;
  parentId?: string | undefined;
  name: string;
  start?: Micros | undefined;
  end?: Micros | undefined;
  /** Why it failed; undefined where it did not. */
  error?: string | undefined;
  /** By flat names with dots, or nested. */
  attributes: Record<string, unknown>;
  events: SpanEvent[];
  resource?: Record<string, unknown> | undefined;
  /** The fields of the span besides its attributes, events and resource, as they were recorded. */
  fields: Record<string, unknown>;
}
