import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";
import { Fields, type Reader, textIn } from "../formats/fields.ts";
import type { ReadingContext } from "../formats/format.ts";
import { attributesIn } from "./otlp-values.ts";
import { parsedText } from "./said.ts";
import type { Span, SpanEvent } from "./span.ts";
import { pairIn, timeIn } from "./span-time.ts";

/** Names of what a span is known by, in OTLP, in the SDKs of OpenTelemetry, in exports of Phoenix and of Jaeger. */
const TRACE_IDS = ["traceId", "trace_id", "traceID", "context.trace_id"] as const;
const SPAN_IDS = ["spanId", "span_id", "spanID", "context.span_id", "id"] as const;
const PARENT_IDS = ["parentSpanId", "parent_span_id", "parentId", "parent_id", "parentSpanID"] as const;
const STARTS = ["startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "timestamp"] as const;
const ENDS = ["endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time"] as const;

/** An id: not one of zeros alone, which stands for none; Python writes a prefix. */
const idIn: Reader<string> = (value) => {
  const text = textIn(value)?.replace(/^0x/, "");
  return text === undefined || /^0+$/.test(text) ? undefined : text;
};

const first = (span: Record<string, unknown>, names: readonly string[]): string | undefined =>
  names.map((name) => idIn(span[name])).find((id) => id !== undefined);

/** The ids of a span and of its trace; undefined for what is no span. */
export function spanIds(span: Record<string, unknown>): { traceId: string; spanId: string } | undefined {
  const context = [span.spanContext, span.context].find(isObject) ?? {};
  const traceId = first(span, TRACE_IDS) ?? first(context, TRACE_IDS);
  const spanId = first(context, SPAN_IDS) ?? first(span, SPAN_IDS);
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

function parentOf(span: Record<string, unknown>): string | undefined {
  const context = [span.parentSpanContext, span.parent].find(isObject);
  return first(span, PARENT_IDS) ?? (context === undefined ? undefined : first(context, SPAN_IDS));
}

/** Why a span failed; an empty text where nobody said. */
function errorIn(
  span: Record<string, unknown>,
  events: readonly SpanEvent[],
  attributes: Record<string, unknown>,
) {
  const status = isObject(span.status) ? span.status : {};
  const code = status.code ?? status.status_code ?? status.statusCode ?? span.status_code ?? span.statusCode;
  const isError =
    numberOf(code) === 2 || (typeof code === "string" && /^(StatusCode\.|STATUS_CODE_)?ERROR$/i.test(code));
  if (!isError) return undefined;
  const message = [status.message, status.description, span.status_message, span.statusMessage].find(textIn);
  const raised = events.find(({ name }) => name === "exception")?.attributes;
  const type = raised?.["exception.type"] ?? attributes["error.type"];
  return String(message ?? raised?.["exception.message"] ?? type ?? "");
}

function eventIn(value: unknown, context: ReadingContext): SpanEvent[] {
  if (!isObject(value)) return [];
  const { name, attributes, ...rest } = value;
  const at = timeIn(value, ["timeUnixNano", "time_unix_nano", "time", "timestamp"], context);
  return [{ name: String(name ?? ""), at, attributes: attributesIn(attributes), rest }];
}

const listIn = (value: unknown): unknown[] => {
  const list = parsedText(value);
  return Array.isArray(list) ? (list as unknown[]) : [];
};

/** What stands around a span. */
export interface Surroundings {
  resource?: unknown;
  scope?: unknown;
}

const resourceIn = (resource: unknown): Record<string, unknown> | undefined => {
  if (!isObject(resource)) return undefined;
  const { attributes, ...rest } = resource;
  return attributes === undefined ? rest : { ...rest, ...attributesIn(attributes) };
};

/**
 * Reads a span from any of its notations; its fields stay as they were recorded.
 *
 * @returns undefined for what has no ids
 */
export function spanIn(
  value: Record<string, unknown>,
  context: ReadingContext,
  around: Surroundings = {},
): Span | undefined {
  const ids = spanIds(value);
  if (ids === undefined) return undefined;
  const fields = new Fields(value);
  fields.drop("attributes", "events", "resource");
  const attributes = { ...attributesIn(value.attributes), ...columnsOf(fields) };
  const events = listIn(value.events).flatMap((event) => eventIn(event, context));
  const start = timeIn(value, STARTS, context);
  const end = timeIn(value, ENDS, context);
  const lasted = pairIn(value.duration) ?? numberOf(value.duration);
  return {
    ...ids,
    parentId: parentOf(value),
    name: textIn(value.name) ?? textIn(value.operationName) ?? "",
    start,
    // The SDK for JavaScript prints how many microseconds it took.
    end: end ?? (start === undefined || lasted === undefined ? undefined : start + Math.round(lasted)),
    error: errorIn(value, events, attributes),
    attributes,
    events,
    resource: resourceIn(value.resource ?? around.resource),
    fields: { ...(around.scope !== undefined && { scope: around.scope }), ...fields.rest() },
  };
}

/** Columns of a table of spans: each attribute has its own. */
function columnsOf(fields: Fields): Record<string, unknown> {
  const names = Object.keys(fields.record).filter((name) => name.startsWith("attributes."));
  fields.drop(...names);
  return Object.fromEntries(names.map((name) => [name.slice("attributes.".length), fields.record[name]]));
}
