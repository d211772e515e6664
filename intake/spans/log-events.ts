import { isObject } from "../../traces/clean-text.ts";
import { present, textIn } from "../formats/fields.ts";
import type { ReadingContext } from "../formats/format.ts";
import { attributesIn, otlpValue } from "./otlp-values.ts";
import { parsedText } from "./said.ts";
import type { Span, SpanEvent } from "./span.ts";
import { spanIds } from "./span-in.ts";
import { timeIn } from "./span-time.ts";

const listIn = (value: Record<string, unknown>, ...names: string[]): unknown[] => {
  const found = names.map((name) => value[name]).find(Array.isArray);
  return (found as unknown[] | undefined) ?? [];
};

/** Whether a value is a batch of log records as OTLP writes it: events of spans are sent as such, too. */
export const isLogBatch = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && listIn(value, "resourceLogs", "resource_logs").length > 0;

/** The event that a log record is; what it says stands in its body. */
function eventIn(record: Record<string, unknown>, context: ReadingContext): SpanEvent {
  const { attributes: given, body: written, ...rest } = record;
  const attributes = attributesIn(given);
  const body = parsedText(otlpValue(written));
  const name =
    textIn(record.eventName) ?? textIn(record.event_name) ?? textIn(attributes["event.name"]) ?? "";
  const at = timeIn(record, ["timeUnixNano", "time_unix_nano", "observedTimeUnixNano"], context);
  return { name, at, attributes: { ...attributes, ...(isObject(body) ? body : present({ body })) }, rest };
}

/** Spans that hold nothing but the events of a batch of log records. */
export function spansOfLogs(batch: Record<string, unknown>, context: ReadingContext): Span[] {
  const resources = listIn(batch, "resourceLogs", "resource_logs").filter(isObject);
  return resources.flatMap(({ resource, ...inner }) => {
    const scopes = listIn(inner, "scopeLogs", "scope_logs").filter(isObject);
    const records = scopes.flatMap((scope) => listIn(scope, "logRecords", "log_records").filter(isObject));
    return records.flatMap((record): Span[] => {
      const ids = spanIds(record);
      if (ids === undefined) return [];
      const event = eventIn(record, context);
      const own = isObject(resource) ? attributesIn(resource.attributes) : undefined;
      return [{ ...ids, name: "", attributes: {}, events: [event], resource: own, fields: {} }];
    });
  });
}

const isOnlyEvents = ({ name, fields }: Span): boolean => name === "" && Object.keys(fields).length === 0;

const withEvents = (span: Span, { events, resource }: Span): Span => ({
  ...span,
  events: [...span.events, ...events],
  ...((span.resource ?? resource) && { resource: { ...resource, ...span.resource } }),
});

/**
 * Each span once: of those with the same id the last, since a later export knows more, with the events that were sent
 * apart from it.
 */
export function joinedSpans(spans: readonly Span[]): Span[] {
  const byId = new Map<string, Span>();
  for (const span of spans) {
    const known = byId.get(span.spanId);
    if (known !== undefined && isOnlyEvents(span)) byId.set(span.spanId, withEvents(known, span));
    else if (known !== undefined && isOnlyEvents(known)) byId.set(span.spanId, withEvents(span, known));
    else byId.set(span.spanId, span);
  }
  return [...byId.values()];
}
