import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";
import { packageInfo } from "../../configs/package-info.ts";
import type { Micros } from "../../schemas/generated/events.ts";
import type { Span } from "./span.ts";

/** Takes spans to a collector. */
export interface OtlpExporter {
  /** Does no I/O. Where more spans wait than fit, they are dropped. */
  send(span: Span): void;
  /** Sends what waits; takes only so long where the collector does not answer. Never throws. */
  close(): Promise<void>;
}

/** A thousand sessions may end together. */
const MOST_WAITING = 50_000;
/** Of one export with its retries, unless the environment says otherwise: a process ends no sooner. */
const EXPORT_WITHIN_MS = 3_000;
const CLOSE_WITHIN_MS = 3_500;

const timeOf = (micros: Micros): HrTime => [Math.floor(micros / 1_000_000), (micros % 1_000_000) * 1000];

const KINDS = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
} as const;

function resource(): Resource {
  const { name, version } = packageInfo();
  return defaultResource()
    .merge(resourceFromAttributes({ "service.name": name, "service.version": version }))
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
}

function readable(span: Span, about: Pick<ReadableSpan, "resource" | "instrumentationScope">): ReadableSpan {
  const { traceId } = span;
  const at = (spanId: string): SpanContext => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  const context = at(span.spanId);
  return {
    ...about,
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(span.parentId === undefined ? {} : { parentSpanContext: at(span.parentId) }),
    startTime: timeOf(span.from),
    endTime: timeOf(span.until),
    duration: timeOf(span.until - span.from),
    ended: true,
    status: {
      code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET,
      ...(span.message === undefined ? {} : { message: span.message }),
    },
    attributes: span.attributes,
    events: span.moments.map(({ name, at: when, attributes }) => ({ name, time: timeOf(when), attributes })),
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** An exporter whose failures are told. */
function telling(exporter: SpanExporter, failed: (why: string) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) failed(result.error.message);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

/**
 * Opens the way to the collector that the environment names: endpoint, headers, timeout, compression and resource come
 * from OpenTelemetry's own variables.
 *
 * @param failed called with the reason when spans could not be sent
 */
export function openOtlpExporter(failed: (why: string) => void): OtlpExporter {
  const { name, version } = packageInfo();
  const about = { resource: resource(), instrumentationScope: { name, version } };
  const configured =
    process.env["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"] || process.env["OTEL_EXPORTER_OTLP_TIMEOUT"];
  const timeout = configured ? {} : { timeoutMillis: EXPORT_WITHIN_MS };
  const processor = new BatchSpanProcessor({
    exporter: telling(new OTLPTraceExporter(timeout), failed),
    maxQueueSize: MOST_WAITING,
    scheduledDelayMillis: 1000,
  });
  return {
    send: (span) => processor.onEnd(readable(span, about)),
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          failed(`it did not take the last spans within ${CLOSE_WITHIN_MS} ms`);
          resolve();
        }, CLOSE_WITHIN_MS);
      });
      // What could not be sent was told already.
      await Promise.race([processor.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}
