import { isObject } from "../../traces/clean-text.ts";
import { present } from "../formats/fields.ts";
import type { ReadingContext } from "../formats/format.ts";
import { isLogBatch, spansOfLogs } from "./log-events.ts";
import { attributesIn } from "./otlp-values.ts";
import type { Span } from "./span.ts";
import { type Surroundings, spanIds, spanIn } from "./span-in.ts";

/** Names of lists of spans with what they share, from the outermost. */
const BATCHES = ["resourceSpans", "resource_spans", "batches"] as const;
const SCOPES = ["scopeSpans", "scope_spans", "instrumentationLibrarySpans", "ils"] as const;

const listIn = (value: Record<string, unknown>, names: readonly string[]): unknown[] | undefined =>
  names.map((name) => value[name]).find((found): found is unknown[] => Array.isArray(found));

/** Whether a value is a batch of spans as OTLP writes it. */
export const isBatch = (value: unknown): value is Record<string, unknown> =>
  isObject(value) &&
  ((listIn(value, BATCHES) ?? listIn(value, SCOPES)) !== undefined || isLogBatch(value) || isJaeger(value));

/** Whether a value is an export of Jaeger: traces with their spans. */
const isJaeger = (value: Record<string, unknown>): boolean =>
  Array.isArray(value.data) &&
  value.data.length > 0 &&
  value.data.every((trace) => isObject(trace) && trace.traceID !== undefined && Array.isArray(trace.spans));

/** Whether a value is one span by its ids and its attributes. */
export const isSpan = (value: unknown): value is Record<string, unknown> =>
  isObject(value) &&
  spanIds(value) !== undefined &&
  (value.attributes !== undefined || Object.keys(value).some((name) => name.startsWith("attributes.")));

/** Names of attributes that tell of calls of a model: where one is, the object is the attributes of a span. */
const TELLING =
  /^(gen_ai\.|openinference\.|llm\.(input|output)_messages\.|ai\.(prompt|response|operationId|toolCall))/;

/** Whether a value is the attributes of a span, without the span. */
export const isBareAttributes = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && Object.keys(value).some((name) => TELLING.test(name));

/** Spans of OTLP, in whatever depth of batches. */
function inBatch(value: unknown, context: ReadingContext, around: Surroundings): Span[] {
  if (!isObject(value)) return [];
  const inner = listIn(value, BATCHES) ?? listIn(value, SCOPES) ?? listIn(value, ["spans"]);
  if (inner === undefined) {
    const span = spanIn(value, context, around);
    return span === undefined ? [] : [span];
  }
  const resource = value.resource ?? around.resource;
  const scope = value.scope ?? value.instrumentationLibrary ?? around.scope;
  return inner.flatMap((each) => inBatch(each, context, { resource, scope }));
}

/** Spans of a trace of Jaeger; what is known of the process that wrote them stands beside them. */
function inJaeger(trace: unknown, context: ReadingContext): Span[] {
  const { spans, processes } = isObject(trace) ? trace : {};
  return (Array.isArray(spans) ? (spans as unknown[]) : []).filter(isObject).flatMap((span) => {
    const own = isObject(processes) ? processes[String(span.processID)] : undefined;
    const { serviceName, tags } = isObject(own) ? own : {};
    const resource = { ...present({ serviceName }), attributes: tags };
    const found = spanIn(ofJaeger(span), context, { resource });
    return found === undefined ? [] : [found];
  });
}

/** A span of Jaeger under the names of OpenTelemetry. */
function ofJaeger({ tags, logs, references, ...span }: Record<string, unknown>): Record<string, unknown> {
  const parents = (Array.isArray(references) ? (references as unknown[]) : []).filter(isObject);
  const events = (Array.isArray(logs) ? (logs as unknown[]) : [])
    .filter(isObject)
    .map(({ fields, ...log }) => {
      const { event, name, ...attributes } = attributesIn(fields);
      return { name: event ?? name, attributes, ...log };
    });
  const attributes = attributesIn(tags);
  return {
    ...span,
    ...present({ parentSpanID: parents[0]?.spanID, status_code: attributes["otel.status_code"] }),
    attributes,
    events,
  };
}

/**
 * The spans that a value holds: a batch of OTLP, a span of an SDK or of an export, or the attributes of one alone.
 *
 * @param place names a span that has no ids
 */
export function spansIn(value: unknown, context: ReadingContext, place: number): Span[] {
  if (isLogBatch(value)) return spansOfLogs(value, context);
  if (isObject(value) && isJaeger(value))
    return (value.data as unknown[]).flatMap((trace) => inJaeger(trace, context));
  if (isBatch(value)) return inBatch(value, context, {});
  if (isSpan(value)) return inBatch(value, context, {});
  if (!isBareAttributes(value)) return [];
  const id = `span-${place}`;
  return [{ traceId: id, spanId: id, name: "", attributes: value, events: [], fields: {} }];
}
