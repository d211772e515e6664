import { isObject } from "../../traces/clean-text.ts";
import { joinedSpans } from "../spans/log-events.ts";
import type { Span } from "../spans/span.ts";
import { isBareAttributes, isBatch, isSpan, spansIn } from "../spans/spans-in.ts";
import { traceConversation } from "../spans/trace-conversation.ts";
import { workOfSpan } from "../spans/work-of-span.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedScore } from "./format.ts";

/** What a span is known by: itself, but for what it shares with others. */
const identityOf = ({ spanId, parentId, name, attributes, events }: Span) => ({
  spanId,
  parentId,
  name,
  attributes,
  ...(events.length > 0 && { events: events.map((event) => [event.name, event.attributes]) }),
});

const byTrace = (spans: readonly Span[]): Span[][] => [
  ...Map.groupBy(spans, ({ traceId }) => traceId).values(),
];

type Scores = ReadonlyMap<string, RecordedScore[]>;

function conversationOf(
  given: readonly Span[],
  context: ReadingContext,
  scores: Scores,
): RecordedConversation | undefined {
  const spans = joinedSpans(given);
  const conversation = traceConversation(
    spans.map((span) => {
      const work = workOfSpan(span);
      return { ...work, scores: [...(work.scores ?? []), ...(scores.get(span.spanId) ?? [])] };
    }),
    context,
  );
  if (conversation === undefined) return undefined;
  const [{ traceId, fields, events }] = spans as [Span];
  // Attributes alone have no ids, and are what they are known by.
  const isNamed = Object.keys(fields).length + events.length > 0;
  const inOrder = spans.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1));
  return {
    ...conversation,
    id: isNamed ? traceId : undefined,
    content: isNamed
      ? { trace: traceId, spans: inOrder.map(identityOf) }
      : spans.map(({ attributes }) => attributes),
  };
}

/**
 * The conversations of spans, one a trace.
 *
 * @param scores what others said of spans, by the spans' ids
 * @returns a sentence where no span tells what was said
 */
export function conversationsOfSpans(
  spans: readonly Span[],
  context: ReadingContext,
  scores: Scores = new Map(),
): RecordedConversation[] | string {
  if (spans.length === 0) return "no span is in it";
  const traces = byTrace(spans);
  const found = traces.flatMap((trace) => conversationOf(trace, context, scores) ?? []);
  if (found.length === 0)
    return `none of its spans (${spans.length}) tells what a model was sent and answered: no messages, no input, no output`;
  const silent = traces.length - found.length;
  if (silent > 0)
    context.note(`traces without what a model was sent and answered: ${silent} of ${traces.length}`);
  return found;
}

/** Spans of OpenTelemetry, in the conventions for generative models, of OpenInference, of OpenLLMetry and of the AI SDK. */
export const otel: Format = {
  name: "otel",
  translation: 1,
  about:
    "spans of OpenTelemetry as OTLP/JSON or as SDKs print them: GenAI conventions, OpenInference, AI SDK, OpenLLMetry",
  recognizes: (value) =>
    isBatch(value) || isSpan(value) || isBareAttributes(value) || (isObject(value) && isBatch(value.trace)),
  // A trace's spans are anywhere in a file.
  partOf: () => "spans",
  read: (values, context) =>
    conversationsOfSpans(
      values.flatMap((value, place) =>
        spansIn(isObject(value) && isBatch(value.trace) ? value.trace : value, context, place + 1),
      ),
      context,
    ),
};
